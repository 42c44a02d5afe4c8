"""An engine without a model, for tests: the text follows from the bytes of the audio."""

import asyncio
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from steno_common.messages import Word
from steno_common.units import to_seconds
from steno_transcriber.domain.hypothesis import Again, Hypothesis, Window
from steno_transcriber.domain.samples import blocks
from steno_transcriber.settings import RecognitionSettings

WORD: Final = 3_200
"""Samples that make one word (0.2 s)."""

_SYLLABLES: Final = ("ba", "de", "fi", "go", "ku", "la", "me", "ni", "po", "ru", "sa", "te", "vi",
                     "wo", "xu", "za")  # fmt: skip


def spoken(window: Window) -> Hypothesis:
    """Name each 0.2 s of audio by its hash; digital silence has no name."""
    words = []
    for index, block in enumerate(blocks(window.audio, WORD)):
        if not block.any():
            continue
        digest = blake2b(block.astype("<i2").tobytes(), digest_size=3).digest()
        text = "".join(_SYLLABLES[byte % 16] for byte in digest)
        start = index * WORD
        words.append(Word(text, start, start + len(block), digest[0] / 255))
    if not words:
        return Hypothesis(language=window.options.language or "en")
    return Hypothesis(
        text=" ".join(word.text for word in words),
        words=tuple(words),
        language=window.options.language or "en",
        confidence=round(sum(word.confidence for word in words) / len(words), 3),
    )


class ScriptedEngine:
    """Answers at once, or as late as the settings say: a batch takes what its windows take."""

    name = "scripted"
    pause_seconds = 0.5
    max_segment_seconds = 8.0
    window_limit_seconds = 60.0
    partial_interval_seconds = 0.2
    max_batch = max_partials = 4
    concurrency = 2
    reserve = 1
    window_seconds = 0.0

    cost = 0.0, 0.0
    """Seconds of work for a window, for a second of its audio."""

    def padded_seconds(self, window: Window) -> float:
        """Give the length of the audio."""
        return to_seconds(len(window.audio))

    def group(self, _window: Window) -> None:
        """Put all windows into one group."""

    async def decode(self, windows: Sequence[Window]) -> list[Hypothesis | Again]:
        """Give the names of the audio."""
        each, factor = self.cost
        audio = sum(self.padded_seconds(window) for window in windows)
        if seconds := each * len(windows) + factor * audio:
            await asyncio.sleep(seconds)
        return [spoken(window) for window in windows]

    async def aclose(self) -> None:
        """Nothing is open."""


async def open_engine(settings: RecognitionSettings) -> ScriptedEngine:
    """Give the engine."""
    engine = ScriptedEngine()
    engine.cost = settings.scripted_window_seconds, settings.scripted_realtime_factor
    return engine
