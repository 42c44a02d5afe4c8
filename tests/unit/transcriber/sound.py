"""Sounds, detectors and engines that tests of the transcriber are made of."""

import asyncio
import csv
import json
from collections.abc import Hashable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from steno_audio import decode_file
from steno_transcriber.domain.hypothesis import Again, Hypothesis, Window
from steno_transcriber.domain.samples import Samples, from_bytes
from steno_transcriber.domain.scan import FRAME
from steno_transcriber.domain.segmenter import Rules
from steno_transcriber.engines.base import EngineError
from steno_transcriber.engines.scripted import spoken

SHARED = Path(__file__).parents[4] / "shared"
"""Where recordings may lie that are no part of the project."""

_TINY_WHISPER = Path(__file__).parents[2] / "data" / "tiny_whisper"
MODEL, HELDOUT = _TINY_WHISPER / "model", _TINY_WHISPER / "heldout"
"""A genuine small Whisper model, and clips that it was not trained on."""
EXACT = (
    *(f"command_{number}" for number in (1, 2, 4, 5)),
    *(f"sentence_{number}" for number in (1, 2, 3, 4, 5)),
)
"""Short clips that the model reads without a fault, punctuation included, however it searches."""

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

    def __call__(self, block: Samples) -> list[float]:
        return [self._judge(frame) for frame in block.reshape(-1, FRAME)]

    def _judge(self, frame: Samples) -> float:
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

    window_seconds = 0.0

    def __init__(
        self,
        *,
        max_batch: int = 4,
        max_partials: int | None = None,
        concurrency: int = 1,
        reserve: int = 0,
    ) -> None:
        self.max_batch = max_batch
        self.max_partials = max_batch if max_partials is None else max_partials
        self.concurrency = concurrency
        self.reserve = reserve
        self.batches: list[list[Window]] = []
        self.faults: list[EngineError | None] = []

    def group(self, window: Window) -> Hashable:
        return None

    def padded_seconds(self, window: Window) -> float:
        return len(window.audio) / 16_000

    async def decode(self, windows: Sequence[Window]) -> list[Hypothesis | Again]:
        self.batches.append(list(windows))
        if self.faults and (fault := self.faults.pop(0)) is not None:
            raise fault
        return [spoken(window) for window in windows]

    async def aclose(self) -> None:
        pass


class GatedEngine(FakeEngine):
    """Holds every batch until the gate opens."""

    def __init__(self, *, max_batch: int = 4, concurrency: int = 1, reserve: int = 0) -> None:
        super().__init__(max_batch=max_batch, concurrency=concurrency, reserve=reserve)
        self.gate = asyncio.Event()

    async def decode(self, windows: Sequence[Window]) -> list[Hypothesis | Again]:
        self.batches.append(list(windows))
        await self.gate.wait()
        return [spoken(window) for window in windows]


async def turn() -> None:
    """Let every task that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


@cache
def transcripts() -> dict[str, str]:
    """The text of every held-out clip by its name."""
    with (HELDOUT / "transcripts.tsv").open() as file:
        rows = [row for row in csv.reader(file, delimiter="\t") if row[0] != "file"]
    return {row[0].removesuffix(".wav"): row[-1] for row in rows}


@cache
def word_times() -> dict[str, list[tuple[str, int, int]]]:
    """Of every held-out clip, its words with first and last sample."""
    if (HELDOUT / "words.json").exists():
        return {
            name: [(text, start, end) for text, start, end in words]
            for name, words in json.loads((HELDOUT / "words.json").read_text()).items()
        }
    return {
        each["file"].removesuffix(".wav"): [
            (text, round(start * 16_000), round(end * 16_000))
            for segment in each["segs"]
            for text, start, end in segment["words"]
        ]
        for each in json.loads((HELDOUT / "timing.json").read_text())
    }


@cache
def clip(name: str) -> Samples:
    """A held-out clip."""
    (path,) = HELDOUT.glob(f"{name}.*")
    samples = from_bytes(b"".join(decode_file(path)))
    samples.flags.writeable = False
    return samples


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
