"""What understands the audio of a stream: a local engine, or a script."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from tests.fake_transcribe.parameters import Parameters, spoken

from steno_common.messages import MANY_LANGUAGES, Word
from steno_common.units import to_samples
from steno_transcriber.domain.hypothesis import Hypothesis, Options
from steno_transcriber.domain.samples import Samples
from steno_transcriber.recogniser import Partial, Span
from steno_transcriber.recogniser import Recogniser as EngineRecogniser
from steno_transcriber.recognition import Recognition, open_recognition
from steno_transcriber.settings import RecognitionSettings


@dataclass(frozen=True, slots=True)
class Heard:
    """The words of a segment so far, or for good; times are samples of the stream."""

    start: int
    end: int
    words: tuple[Word, ...]
    final: bool
    agreed: int = 0
    """Words at the beginning that are hardly going to change."""
    language: str | None = None
    """Two letters."""
    probability: float = 1.0
    """Of the language."""


Emit = Callable[[Heard], Awaitable[None]]
"""Takes what is heard; a segment's final comes behind all partials of it."""


class Recogniser(Protocol):
    """Hears one channel: 16,000 Hz, mono, signed 16 bit. Its calls do not overlap."""

    async def feed(self, samples: Samples) -> None: ...

    async def finish(self) -> None:
        """Hear the audio so far to its end."""

    async def aclose(self) -> None: ...


Listen = Callable[[Parameters, Emit], Recogniser]
"""Makes the recogniser of a channel of a stream."""


@asynccontextmanager
async def local_engine(settings: RecognitionSettings) -> AsyncIterator[Listen]:
    """Let one of Steno's own engines hear all streams. Raises EngineUnavailable."""
    async with open_recognition(settings) as recognition:
        yield heard_by(recognition)


def heard_by(recognition: Recognition) -> Listen:
    """Let a recognition that is open hear all streams."""

    def listen(parameters: Parameters, emit: Emit) -> Recogniser:
        return _Local(recognition, parameters, emit)

    return listen


class _Local:
    def __init__(self, recognition: Recognition, parameters: Parameters, emit: Emit) -> None:
        self._emit = emit
        self._open = False
        language = MANY_LANGUAGES if parameters.many_languages else None
        if parameters.language is not None:
            language = spoken(parameters.language)
        self._recogniser: EngineRecogniser = recognition.recogniser(
            f"fake {parameters.session_id}", self._take, options=Options(language=language)
        )

    async def feed(self, samples: Samples) -> None:
        await self._recogniser.feed(samples)

    async def finish(self) -> None:
        await self._recogniser.flush()

    async def aclose(self) -> None:
        await self._recogniser.aclose()

    async def _take(self, event: Partial | Span) -> None:
        """Pass on what has words; a segment that was shown comes to its end even without any."""
        if isinstance(event, Partial):
            self._open = True
            agreed = round(event.stability * len(event.words))
            heard = Heard(event.start, event.end, event.words, False, agreed, event.language)
            await self._emit(heard)
            return
        said = event.hypothesis or (Hypothesis() if self._open else None)
        self._open = False
        if said is not None:
            await self._emit(
                Heard(
                    event.speech_start,
                    event.speech_end,
                    said.words,
                    True,
                    len(said.words),
                    said.language,
                    said.language_probability,
                )
            )


@dataclass(frozen=True, slots=True)
class Line:
    """A result of a script."""

    text: str
    at: float | None = None
    """Seconds of audio behind which it comes; None: at the end of the audio."""
    final: bool = True
    start: float = 0.0
    agreed: int = 0
    language: str | None = None
    confidence: float = 0.99


def scripted(*lines: Line) -> Listen:
    """Answer every stream with the same lines, in their order."""

    def listen(_parameters: Parameters, emit: Emit) -> Recogniser:
        return _Scripted(lines, emit)

    return listen


class _Scripted:
    def __init__(self, lines: Sequence[Line], emit: Emit) -> None:
        self._lines = list(lines)
        self._emit = emit
        self._heard = 0

    async def feed(self, samples: Samples) -> None:
        self._heard += len(samples)
        while self._lines and self._is_due(self._lines[0]):
            await self._say(self._lines.pop(0))

    async def finish(self) -> None:
        for line in self._lines:
            if line.at is None or self._is_due(line):
                await self._say(line)

    async def aclose(self) -> None:
        self._lines.clear()

    def _is_due(self, line: Line) -> bool:
        return line.at is not None and to_samples(line.at) <= self._heard

    async def _say(self, line: Line) -> None:
        start = to_samples(line.start)
        end = self._heard if line.at is None else to_samples(line.at)
        words = spread(line.text, start, end, line.confidence)
        agreed = len(words) if line.final else line.agreed
        await self._emit(Heard(start, end, words, line.final, agreed, line.language))


def spread(text: str, start: int, end: int, confidence: float) -> tuple[Word, ...]:
    """Give the words of a text, each with an equal share of the time."""
    said = text.split()
    borders = [start + (end - start) * place // max(1, len(said)) for place in range(len(said) + 1)]
    return tuple(
        Word(word, first, last, confidence)
        for word, (first, last) in zip(said, pairwise(borders), strict=True)
    )
