"""Design of the integer polyphase filter that changes a sample rate to 16 kHz."""

from dataclasses import dataclass
from functools import lru_cache
from math import gcd
from typing import Final

import numpy as np
from numpy.typing import NDArray

from steno_audio.pcm import SAMPLE_RATE

TAP_BITS: Final = 15
_ZERO_CROSSINGS: Final = 35  # with this beta: transition from 7/8 of the band's edge to the edge
_KAISER_BETA: Final = 6.76  # -70 dB, below the -80 dB or so that 15-bit taps add as noise
_CUTOFF: Final = 0.9375  # the middle of the transition, as a share of the band's edge
_ROWS_AT_ONCE: Final = 1024  # bounds the memory of the design for rates with many phases


@dataclass(frozen=True, slots=True, eq=False)
class Polyphase:
    """Taps of every phase: output n lies at input time n * step / phases.

    `taps` has shape (phases, 2 * reach); row p, column k weighs the input `k - reach + 1` samples
    after the one at or before the output's time. Each row sums to exactly 1 << TAP_BITS.
    """

    phases: int
    step: int
    reach: int
    taps: NDArray[np.int16]


@lru_cache(maxsize=16)
def polyphase(rate: int) -> Polyphase:
    """The filter from `rate` Hz: flat to 7/8 of the narrower band, -60 dB beyond its edge."""
    divisor = gcd(rate, SAMPLE_RATE)
    phases, step = SAMPLE_RATE // divisor, rate // divisor
    reach = -(-_ZERO_CROSSINGS * max(rate, SAMPLE_RATE) // SAMPLE_RATE)
    cutoff = _CUTOFF * min(rate, SAMPLE_RATE) / rate
    rows = [
        _rows(np.arange(start, min(start + _ROWS_AT_ONCE, phases)) / phases, reach, cutoff)
        for start in range(0, phases, _ROWS_AT_ONCE)
    ]
    return Polyphase(phases, step, reach, np.concatenate(rows))


def _rows(fractions: NDArray[np.float64], reach: int, cutoff: float) -> NDArray[np.int16]:
    """Kaiser-windowed sinc for outputs at these fractions of an input sample."""
    time = np.arange(1 - reach, reach + 1) - fractions[:, None]
    window = np.i0(_KAISER_BETA * np.sqrt(np.maximum(0.0, 1.0 - (time / reach) ** 2)))
    ideal = np.sinc(cutoff * time) * window
    unit = 1 << TAP_BITS
    taps = np.rint(ideal * (unit / ideal.sum(axis=1, keepdims=True))).astype(np.int64)
    # The rounding's remainder goes where it is relatively smallest: steady input stays exact.
    taps[:, reach - 1] += unit - taps.sum(axis=1)
    return np.asarray(taps, np.int16)
