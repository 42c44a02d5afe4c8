"""An engine without a model, for tests under faults: it reads numbers that the audio carries.

Text "1 2 3" stands for exactly these words in this order, so a loss, a doubling or disorder of
audio shows in the text; a broken word is a question mark.
"""

from collections.abc import Sequence
from typing import Final

from steno_common.messages import Word
from steno_common.units import to_seconds
from steno_transcriber.domain.hypothesis import Again, Hypothesis, Window
from steno_transcriber.engines.numbers import read
from steno_transcriber.settings import RecognitionSettings

BROKEN: Final = "?"
"""What a word that is not whole is read as."""


def spoken(window: Window) -> Hypothesis:
    """Read the words of a window."""
    words = tuple(
        Word(BROKEN, burst.start, burst.end, 0.0)
        if burst.number is None
        else Word(str(burst.number), burst.start, burst.end, 1.0)
        for burst in read(window.audio)
    )
    language = window.options.language or "en"
    if not words:
        return Hypothesis(language=language)
    return Hypothesis(
        text=" ".join(word.text for word in words),
        words=words,
        language=language,
        confidence=round(sum(word.confidence for word in words) / len(words), 3),
    )


class NumberedEngine:
    """Answers at once."""

    name = "numbered"
    pause_seconds = 0.5
    max_segment_seconds = 4.0
    window_limit_seconds = 60.0
    partial_interval_seconds = 0.5
    max_batch = max_partials = 8
    concurrency = 2
    reserve = 1
    window_seconds = 0.0

    def padded_seconds(self, window: Window) -> float:
        """Give the length of the audio."""
        return to_seconds(len(window.audio))

    def group(self, _window: Window) -> None:
        """Put all windows into one group."""

    async def decode(self, windows: Sequence[Window]) -> list[Hypothesis | Again]:
        """Read the words of each window."""
        return [spoken(window) for window in windows]

    async def aclose(self) -> None:
        """Nothing is open."""


async def open_engine(_settings: RecognitionSettings) -> NumberedEngine:
    """Give the engine."""
    return NumberedEngine()
