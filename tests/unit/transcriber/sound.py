"""Sounds, detectors and engines that tests of the transcriber are made of."""

import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from steno_transcriber.domain.hypothesis import Hypothesis, Window
from steno_transcriber.domain.samples import Samples
from steno_transcriber.domain.segmenter import Rules
from steno_transcriber.engines.base import EngineError
from steno_transcriber.engines.scripted import spoken

SHARED = Path(__file__).parents[4] / "shared"
"""Where recordings and a small model may lie that are no part of the project."""

RULES = Rules(pause=8_000, max_segment=64_000, pad=3_200, min_speech=1_600)


def loud(samples: int, seed: int = 1) -> Samples:
    """Speech, as far as a detector of loudness can tell."""
    return np.random.default_rng(seed).integers(-9_000, 9_000, samples).astype(np.int16)


def quiet(samples: int, seed: int = 2) -> Samples:
    return np.random.default_rng(seed).integers(-30, 30, samples).astype(np.int16)


def sound(*pieces: Samples) -> Samples:
    return np.concatenate(pieces) if pieces else np.empty(0, np.int16)


class ForgetfulDetector:
    """Loudness blurred over the past, so that a detector that is not reset gives itself away."""

    def __init__(self) -> None:
        self._level = 0.0

    def __call__(self, frame: Samples) -> float:
        level = min(1.0, float(np.abs(frame.astype(np.int32)).mean()) / 4_000)
        self._level = 0.6 * level + 0.4 * self._level
        return self._level


@st.composite
def sounds(draw: st.DrawFn) -> Samples:
    """Up to about 30 s of alternating speech and silence of any lengths."""
    lengths = draw(st.lists(st.integers(0, 40_000), max_size=12))
    seed = draw(st.integers(0, 1_000))
    start_loud = draw(st.booleans())
    return sound(
        *(
            (loud if (index % 2 == 0) == start_loud else quiet)(length, seed + index)
            for index, length in enumerate(lengths)
        )
    )


def cut(samples: Samples, sizes: Sequence[int]) -> list[Samples]:
    """Cut at the given sizes in turn; the rest is the last piece."""
    pieces, at = [], 0
    for size in sizes:
        pieces.append(samples[at : at + size])
        at += size
    return [*pieces, samples[at:]]


class FakeEngine:
    """The scripted engine with faults and delays on demand; it keeps what it was asked."""

    name = "scripted"
    pause_seconds = 0.5
    max_segment_seconds = 4.0
    window_limit_seconds = 30.0
    partial_interval_seconds = 0.2

    def __init__(self, *, max_batch: int = 4, concurrency: int = 1) -> None:
        self.max_batch = max_batch
        self.concurrency = concurrency
        self.batches: list[list[Window]] = []
        self.faults: list[EngineError | None] = []

    async def decode(self, windows: Sequence[Window]) -> list[Hypothesis]:
        self.batches.append(list(windows))
        if self.faults and (fault := self.faults.pop(0)) is not None:
            raise fault
        return [spoken(window) for window in windows]

    async def aclose(self) -> None:
        pass


def wav(path: Path) -> Samples:
    """A 16 kHz mono WAV file."""
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels()) == (16_000, 1)
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def word_errors(expected: str, text: str) -> int:
    """Word edit distance, without case or punctuation."""
    reference, said = _words(expected), _words(text)
    row = list(range(len(said) + 1))
    for i, word in enumerate(reference, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(said, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "'" else " " for c in text.lower()).split()
