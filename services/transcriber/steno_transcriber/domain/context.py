"""What recognition carries over a border, in the text form that checkpoints keep."""

from typing import Final

import msgspec

from steno_transcriber.domain.hypothesis import Hypothesis

CONTEXT_CHARACTERS: Final = 200

SURE_OF_LANGUAGE: Final = 0.5


class Context(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that a recogniser knows of the session before a border."""

    text: str = ""
    """The end of the text so far, as a prompt."""
    language: str | None = None
    """The language that the first speech was found to be in."""

    def after(self, heard: Hypothesis) -> "Context":
        """Give the context behind a final."""
        return Context(self._text_after(heard), self.language or _surely(heard))

    def _text_after(self, heard: Hypothesis) -> str:
        if not heard.trusted:
            return ""
        text = f"{self.text} {heard.text}".strip()
        if len(text) <= CONTEXT_CHARACTERS:
            return text
        return text[-CONTEXT_CHARACTERS - 1 :].partition(" ")[2]

    def encode(self) -> str:
        """Give the form that `decode_context` reads; empty for an empty context."""
        return msgspec.json.encode(self).decode() if self != Context() else ""


def _surely(heard: Hypothesis) -> str | None:
    sure = heard.words and heard.trusted and heard.language_probability >= SURE_OF_LANGUAGE
    return heard.language if sure else None


def decode_context(text: str) -> Context:
    """Read the context of a checkpoint; what is no such context is taken for the text alone.

    Another engine may have left it: what it kept for itself is no text.
    """
    try:
        return msgspec.json.decode(text, type=Context)
    except msgspec.DecodeError as error:
        foreign = isinstance(error, msgspec.ValidationError) and text.startswith("{")
        return Context() if foreign else Context(text[-CONTEXT_CHARACTERS:])
