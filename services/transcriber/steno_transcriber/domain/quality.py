"""How well a session can be heard: clipping, level, speech above noise."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from steno_transcriber.domain.frames import Frames
from steno_transcriber.domain.prosody import FULL_SCALE
from steno_transcriber.domain.samples import Samples

_FRAME: Final = 512
_WINDOW: Final = 312
"""Frames that are looked at: 10 s."""
_HALF_SECOND: Final = 16
"""Frames that are loud, as many that are quiet."""
_FULL: Final = 32_700
"""A sample from here on was cut off by somebody's converter."""

CLIPPED: Final = 0.05
"""Share of the loud samples that are cut off, from which on nothing is left of the quality."""
FAINT_DB, AMPLE_DB = -50.0, -30.0
"""Level of the loud frames (dBFS) that is worth nothing, that is enough."""
CLEAR_DB: Final = 30.0
"""Speech so far above the noise is clear."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One frame of 32 ms."""

    power: float
    """Mean square about the mean, full scale 1."""
    clipped: int
    """Samples at full scale."""


def quality(frames: Iterable[Heard]) -> float | None:
    """Give the worst of three scores, each 0 to 1; None of less than a second.

    `loud` is the mean of the loudest half second, `quiet` of the quietest. Clipping: 1 without a
    clipped sample among the loud, 0 at 5 %. Level: 0 at -50 dBFS, 1 from -30 dBFS. Noise: the part
    of `loud` above `quiet`, against `quiet`: 0 at 0 dB, 1 from 30 dB.
    """
    ordered = sorted(frames, key=lambda frame: frame.power)
    if len(ordered) < 2 * _HALF_SECOND:
        return None
    loudest = ordered[-_HALF_SECOND:]
    loud = _mean(loudest)
    quiet = _mean(ordered[:_HALF_SECOND])
    clipped = sum(frame.clipped for frame in loudest) / (_HALF_SECOND * _FRAME)
    scores = (
        1 - clipped / CLIPPED,
        (_decibels(loud) - FAINT_DB) / (AMPLE_DB - FAINT_DB),
        (_decibels(loud - quiet) - _decibels(quiet)) / CLEAR_DB,
    )
    return round(min(1.0, max(0.0, min(scores))), 3)


class QualityMeter:
    """Keeps the last 10 s of a session as frames, however its samples are cut."""

    def __init__(self, position: int = 0) -> None:
        self._frames = Frames(position, length=_FRAME, hop=_FRAME, most=_WINDOW)
        self._heard: deque[Heard] = deque(maxlen=_WINDOW)

    def feed(self, samples: Samples) -> None:
        """Take the next samples."""
        self._frames.feed(samples)
        frames = self._frames.take()
        if not len(frames):
            return
        powers = np.var(frames / FULL_SCALE, axis=1)
        clipped = ((frames >= _FULL) | (frames <= -_FULL)).sum(axis=1)
        self._heard.extend(map(Heard, powers.tolist(), clipped.tolist()))

    def latest(self) -> float | None:
        """Give the quality of what was heard last, None of less than a second."""
        return quality(self._heard)


def _mean(frames: list[Heard]) -> float:
    return sum(frame.power for frame in frames) / len(frames)


def _decibels(power: float) -> float:
    """Give a power in dBFS; nothing at all is far below what 16 bits can hold."""
    return 10 * float(np.log10(max(power, 1e-12)))
