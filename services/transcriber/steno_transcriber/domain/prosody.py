"""How speech sounds: loudness, pace, brightness."""

from functools import cache
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from steno_common.messages import Prosody
from steno_common.units import SAMPLE_RATE
from steno_transcriber.domain.samples import Samples

NEUTRAL: Final = Prosody(0.5, 1.0, 0.5)
"""For audio that is too short or too silent to say anything, or could not be measured."""

FRAME: Final = 512
HOP: Final = 256
FULL_SCALE: Final = 32_768.0
LEAST_FRAMES: Final = 7
"""Fewer say nothing of pace."""

_FLOOR_DB: Final = 60.0
_ORDINARY_ONSETS: Final = 4.0
"""Onsets a second in ordinary speech: about one a syllable."""
_BRIGHT_HZ: Final = 4_000.0
_LEAST_RISE: Final = 0.05
"""A steady tone wavers less, an onset of speech rises by 0.3."""
_OFFSET_BINS: Final = 2
"""Lowest bins of a spectrum: what a constant offset comes to, behind the window."""

Values = NDArray[np.float64]


def volume(power: float) -> float:
    """Give loudness 0 to 1: -60 dBFS is 0, full scale 1. `power`: mean square about the mean."""
    level = 10 * float(np.log10(power)) if power > 0 else -_FLOOR_DB
    return round(min(1.0, max(0.0, 1 + level / _FLOOR_DB)), 3)


def rate(onsets: int, frames: int) -> float:
    """Give pace 0.5 to 2: onsets a second against an ordinary 4."""
    a_second = onsets * SAMPLE_RATE / (frames * HOP)
    return round(min(2.0, max(0.5, a_second / _ORDINARY_ONSETS)), 3)


def energy(power: float, moment: float) -> float:
    """Give brightness 0 to 1: the centre of the spectrum, 4 kHz is 1, nothing at all is 0."""
    return round(min(1.0, moment / power / _BRIGHT_HZ), 3) if power > 0 else 0.0


def spectra(frames: Samples) -> NDArray[np.float32]:
    """Give the magnitudes of frames of FRAME samples, one a row, behind a Hann window."""
    wave = frames.astype(np.float32) / np.float32(FULL_SCALE)
    return np.abs(np.fft.rfft(wave * _window(), axis=1)).astype(np.float32, copy=False)


def moments(magnitudes: NDArray[np.float32]) -> tuple[Values, Values]:
    """Give for each spectrum its power, and the power weighed by frequency (Hz)."""
    power = np.square(magnitudes[:, _OFFSET_BINS:], dtype=np.float64)
    return power.sum(axis=1), (power * _frequencies()).sum(axis=1)


def rises(magnitudes: NDArray[np.float32]) -> Values:
    """Give how much each spectrum but the first has risen over the one before (its flux)."""
    rise: Values = np.maximum(np.diff(np.log1p(100 * magnitudes), axis=0), 0).mean(
        axis=1, dtype=np.float64
    )
    return rise


def onsets(rise: Values) -> int:
    """Count the peaks of the rise that stand out of its mean."""
    inner = rise[1:-1]
    least = max(1.5 * float(rise.mean()), _LEAST_RISE)
    peaks = (inner > rise[:-2]) & (inner >= rise[2:]) & (inner > least)
    return int(peaks.sum())


def measure(audio: Samples) -> Prosody:
    """Measure the samples of one segment of speech."""
    loudness = volume(float(np.var(audio / FULL_SCALE))) if len(audio) else 0.0
    if loudness == 0 or len(audio) < FRAME + (LEAST_FRAMES - 1) * HOP:
        return NEUTRAL
    magnitudes = spectra(sliding_window_view(audio, FRAME)[::HOP])
    power, moment = moments(magnitudes)
    return Prosody(
        volume=loudness,
        rate=rate(onsets(rises(magnitudes)), len(magnitudes)),
        energy=energy(float(power.sum()), float(moment.sum())),
    )


@cache
def _window() -> NDArray[np.float32]:
    return np.hanning(FRAME).astype(np.float32)


@cache
def _frequencies() -> Values:
    return np.fft.rfftfreq(FRAME, 1 / SAMPLE_RATE)[_OFFSET_BINS:].astype(np.float64)
