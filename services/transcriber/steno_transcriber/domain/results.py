"""What a stream engine says of its audio; times are seconds since the stream's first sample."""

from dataclasses import dataclass, replace
from math import isfinite

from steno_transcriber.domain.hypothesis import sureness


@dataclass(frozen=True, slots=True)
class HeardWord:
    """One word, with the punctuation behind it."""

    text: str
    start: float
    end: float
    confidence: float = 0.0
    """0 to 1."""
    stable: bool = False
    """A later result of the same segment will not change it."""
    speaker: str | None = None
    """Label of who said it, of this stream alone; None: it is not told."""


@dataclass(frozen=True, slots=True)
class Result:
    """All that is known of one segment; it replaces what was said of it before."""

    segment: str
    """Names the segment: the same in all its partials and in its final."""
    start: float
    end: float
    words: tuple[HeardWord, ...] = ()
    final: bool = False
    """Nothing more will be said of the segment."""
    language: str | None = None
    """Two letters."""


def checked(result: Result) -> Result:
    """Give the result with confidences that are some; raises ValueError if a time is no number."""
    words = result.words
    times = (result.start, result.end, *(at for word in words for at in (word.start, word.end)))
    if not all(map(isfinite, times)):
        raise ValueError("a time of a result is no number")
    if all(0 <= word.confidence <= 1 for word in words):
        return result
    sane = tuple(replace(word, confidence=sureness(word.confidence)) for word in words)
    return replace(result, words=sane)
