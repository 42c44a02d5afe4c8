"""What an engine is asked and what it answers: a window of audio and the words in it."""

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from msgspec import structs

from steno_common.messages import Word
from steno_transcriber.domain.samples import Samples

Task = Literal["transcribe", "translate"]


@dataclass(frozen=True, slots=True)
class Options:
    """How audio is to be understood; an engine that knows less ignores the rest."""

    language: str | None = None
    """Two letters, None for the one that is found on the first speech, or `multi`."""
    task: Task | None = None
    """`translate`: to English; None: as the settings say, else in the language spoken."""
    prompt: str = ""
    """Text as if said before the session: names, terms, style."""
    hotwords: str = ""
    """Words that are likely to be said, with commas between them."""
    locale: str | None = None
    """The language with its region as the session was created (BCP 47), for engines that tell
    regions apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A piece of one session's audio to decode; the answer depends on nothing else."""

    audio: Samples
    prompt: str = ""
    """The text before it, as far as it is known."""
    options: Options = field(default_factory=Options)
    """Of the session; without a language, or with `multi`, the engine finds the window's own."""
    final: bool = True
    """False: the segment is still open, exact word times and costly retries are not worth it."""
    first: bool = False
    """Nothing of the segment has been shown yet."""
    tried: tuple[Any, ...] = ()
    """What the engine found before, when it asks for another try; its own form."""
    origin: Hashable = None
    """Windows of one origin (compared by ==) start at the same sample of the same audio: what was
    computed for the shorter one may be used for the longer one."""


@dataclass(slots=True, eq=False)
class Request:
    """A window that waits for its turn; until it is taken, a newer one may replace it."""

    window: Window
    early: bool = False
    """Nobody waits for it yet."""
    taken: bool = False
    work: tuple[float, float] = (0.0, 0.0)
    """When the engine began with it and was done (s), by the clock of who asked."""
    engine_seconds: float = 0.0
    """Time of the engine that it took: of each batch its part."""


@dataclass(frozen=True, slots=True)
class Again:
    """Instead of a hypothesis: the window is to be decoded once more, in another way."""

    window: Window


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """The words of a window; without words it heard none.

    Word times are samples, counted from the start of the window, in partials of some engines only
    estimates. Confidences are 0 to 1.
    """

    text: str = ""
    words: tuple[Word, ...] = ()
    language: str | None = None
    """Two letters."""
    language_probability: float = 1.0
    """How sure the engine is of the language that it found, 1 if it was told."""
    confidence: float = 0.0
    trusted: bool = True
    """False: the words passed no check, so they are no prompt for what follows."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A hypothesis with when the engine worked on it, as in the request."""

    hypothesis: Hypothesis
    work: tuple[float, float] = field(default=(0.0, 0.0), compare=False)


def sureness(confidence: float) -> float:
    """Give a confidence as one from 0 to 1; what is no number at all is none."""
    return min(1.0, max(0.0, confidence))


def within(hypothesis: Hypothesis, first: int, last: int) -> Hypothesis:
    """Move the words into the bounds of speech: a model's first word begins with its window."""
    words = tuple(
        structs.replace(
            word,
            start=min(max(word.start, first), last),
            end=min(max(word.end, first), last),
        )
        for word in hypothesis.words
    )
    return replace(hypothesis, words=words)


def placed(hypothesis: Hypothesis, start: int, length: int) -> Hypothesis:
    """Count word times from the start of the session; drop words beyond the window's audio.

    `start` is the window's first sample, `length` its number of samples. Confidences become such.
    """
    kept = tuple(word for word in hypothesis.words if word.start < length)
    words = tuple(
        structs.replace(
            word,
            start=start + max(0, word.start),
            end=start + min(word.end, length),
            confidence=sureness(word.confidence),
        )
        for word in kept
    )
    sane = replace(hypothesis, words=words, confidence=sureness(hypothesis.confidence))
    if len(kept) == len(hypothesis.words):
        return sane
    return replace(sane, text=" ".join(word.text for word in words))
