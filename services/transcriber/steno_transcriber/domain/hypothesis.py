"""What an engine is asked and what it answers: a window of audio and the words in it."""

from dataclasses import dataclass, replace

from steno_common.messages import Word
from steno_transcriber.domain.samples import Samples

CONTEXT_CHARACTERS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A piece of one session's audio to decode; the answer depends on nothing else."""

    audio: Samples
    prompt: str = ""
    """The text before it, as far as it is known."""
    language: str | None = None
    """Two letters; None lets the engine find out."""
    final: bool = True
    """False: the segment is still open, exact word times and costly retries are not worth it."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """The words of a window; without words it heard none.

    Word times are samples, counted from the start of the window, in partials of some engines only
    estimates. Confidences are 0 to 1.
    """

    text: str = ""
    words: tuple[Word, ...] = ()
    language: str | None = None
    confidence: float = 0.0
    trusted: bool = True
    """False: the words passed no check, so they are no prompt for what follows."""


def placed(hypothesis: Hypothesis, start: int, length: int) -> Hypothesis:
    """Count word times from the start of the session; drop words beyond the window's audio.

    `start` is the window's first sample, `length` its number of samples.
    """
    kept = tuple(word for word in hypothesis.words if word.start < length)
    words = tuple(
        Word(word.text, start + max(0, word.start), start + min(word.end, length), word.confidence)
        for word in kept
    )
    if len(kept) == len(hypothesis.words):
        return replace(hypothesis, words=words)
    return replace(hypothesis, words=words, text=" ".join(word.text for word in words))


def extend_context(context: str, hypothesis: Hypothesis) -> str:
    """Give the prompt for the next segment: the end of the text so far, in whole words."""
    if not hypothesis.trusted:
        return ""
    text = f"{context} {hypothesis.text}".strip()
    if len(text) <= CONTEXT_CHARACTERS:
        return text
    return text[-CONTEXT_CHARACTERS - 1 :].partition(" ")[2]
