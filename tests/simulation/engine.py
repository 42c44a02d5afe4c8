"""The recogniser of a simulation: the scripted engine, slower, and now and then at a loss."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from zlib import crc32

from tests.simulation.chaos import Chaos

from steno_transcriber.domain.hypothesis import Again, Hypothesis, Window
from steno_transcriber.engines.base import EngineError
from steno_transcriber.engines.scripted import ScriptedEngine, spoken
from steno_transcriber.settings import RecognitionSettings


def heard(window: Window) -> Hypothesis:
    """Name the audio, then what was known of the text before it."""
    hypothesis = spoken(window)
    if not hypothesis.words:
        return hypothesis
    first = hypothesis.words[0]
    said = f"{first.text}{crc32(window.prompt.encode()) % 1000}"
    words = (type(first)(said, first.start, first.end, first.confidence), *hypothesis.words[1:])
    return replace(hypothesis, words=words, text=" ".join(word.text for word in words))


SETTINGS = RecognitionSettings(engine="scripted", max_segment_seconds=2.0)
"""Segments are short, so that a few seconds of audio are many spans."""


class SimEngine(ScriptedEngine):
    """Takes its time; each window may fail once, which the recogniser bears."""

    def __init__(self, chaos: Chaos) -> None:
        self.failing = 0
        """Calls that fail from now on."""
        self._chaos = chaos
        self._failed: list[Window] = []

    async def decode(self, windows: Sequence[Window]) -> list[Hypothesis | Again]:
        await asyncio.sleep(self._chaos.draw.uniform(0, 0.05))
        fresh = [window for window in windows if window not in self._failed]
        if self.failing and fresh:
            self.failing -= 1
            self._failed += fresh
            raise EngineError("simulated")
        return [heard(window) for window in windows]
