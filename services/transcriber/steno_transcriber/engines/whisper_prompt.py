"""The tokens that a Whisper decode starts from."""

from functools import lru_cache
from typing import Any, Final

from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens

from steno_transcriber.domain.fitting import prompt_length
from steno_transcriber.domain.hypothesis import Task, Window

ENGLISH: Final = "en"


class Prompts:
    """Makes start tokens for one model."""

    def __init__(self, model: WhisperModel) -> None:
        self._model = model
        self.tokenizer = lru_cache(256)(self._tokenizer)
        """Gives the tokenizer of a language and a task."""
        self.multilingual: bool = model.model.is_multilingual
        self.languages = frozenset(model.supported_languages)
        self.suppressed = tuple(get_suppressed_tokens(self.tokenizer(ENGLISH, "transcribe"), [-1]))
        self.end: int = self.tokenizer(ENGLISH, "transcribe").eot
        self._before = lru_cache(4_096)(self._encode)

    def _tokenizer(self, language: str, task: Task) -> Tokenizer:
        # An English-only model has no token for a task.
        return Tokenizer(self._model.hf_tokenizer, self.multilingual, task=task, language=language)

    def known(self, language: str | None) -> str | None:
        """Give a language in the model's terms, None if it is to be found out."""
        if not self.multilingual:
            return ENGLISH
        short = (language or "").partition("-")[0].lower()
        return short if short in self.languages else None

    def before(self, window: Window, *, prompted: bool = True) -> tuple[int, ...]:
        """Give the tokens of what comes before a window.

        Hotwords stay whole. The rest is cut to one of few lengths; partials do without the text
        before, so that they make large batches.
        """
        options = window.options
        said = f"{options.prompt} {window.prompt if window.final else ''}" if prompted else ""
        return self._before(options.hotwords.strip(), said.strip())

    def start(self, before: tuple[int, ...], language: str, task: Task | None) -> list[int]:
        """Give the tokens before the first one that the model chooses.

        What was said before comes behind its announcement, then the start of the transcript, then
        language with task if the model knows several.
        """
        tokenizer = self.tokenizer(language, task or "transcribe")
        announced = [tokenizer.sot_prev, *before] if before else []
        return [*announced, *tokenizer.sot_sequence]

    def _encode(self, hotwords: str, said: str) -> tuple[int, ...]:
        tokenizer: Any = self._model.hf_tokenizer
        half = self._model.max_length // 2 - 1
        favoured = _ids(tokenizer, hotwords)[:half]
        tokens = _ids(tokenizer, said)
        kept = prompt_length(min(len(tokens), half - len(favoured)))
        return (*favoured, *tokens[len(tokens) - kept :])


def _ids(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer.encode(f" {text}", add_special_tokens=False).ids) if text else []
