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
_SLOWEST: Final = 0.5
"""Least pace that is told apart."""
_LEAST_RISE: Final = 0.3
"""Steady noise wavers less, most syllables rise by 1 or more."""
_APART: Final = 4
"""Frames: of two peaks that are closer (64 ms) the higher one is an onset, the other its echo."""
_BANDS: Final = (3, 4, 6, 9, 13, 19, 28, 40, 58, 84, 122, 177, 256)
"""Bounds of the bands, in bins: each half as wide again as the one before, from 100 Hz on."""
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
    return round(min(2.0, max(_SLOWEST, a_second / _ORDINARY_ONSETS)), 3)


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


def levels(magnitudes: NDArray[np.float32]) -> Values:
    """Give for each spectrum its level as a whole, then that of each band; each is logarithmic."""
    power = np.square(magnitudes[:, _BANDS[0] : _BANDS[-1]], dtype=np.float64)
    bounds = np.array(_BANDS) - _BANDS[0]
    banded = np.add.reduceat(power, bounds[:-1], axis=1) / np.diff(bounds)
    whole = power.mean(axis=1, keepdims=True)
    found: Values = np.log1p(1e4 * np.concatenate((whole, banded), axis=1))
    return found


def onsets(levels: Values) -> int:
    """Count the moments at which sound rises, of frames given by `levels`.

    A rise is the mean over the bands of what each gains. Where the whole becomes fainter nothing
    begins: a sound that is cut off spreads over all bands.
    """
    smooth = (levels[:-2] + levels[1:-1] + levels[2:]) / 3
    gain = smooth[2:] - smooth[:-2]
    rise = np.where(gain[:, 0] > 0, np.maximum(gain[:, 1:], 0).mean(axis=1), 0.0)
    least = max(_LEAST_RISE, 1.5 * float(rise.mean()), 0.4 * _usual(rise, len(levels)))
    inner = rise[1:-1]
    peaks = np.flatnonzero((inner > rise[:-2]) & (inner >= rise[2:]) & (inner > least))
    found: list[int] = []
    for peak in peaks.tolist():
        if not found or peak - found[-1] >= _APART:
            found.append(peak)
        elif inner[peak] > inner[found[-1]]:
            found[-1] = peak
    return len(found)


def _usual(rise: Values, frames: int) -> float:
    """Give the height of an onset, if there are as many as in the slowest speech told apart."""
    slowest = _SLOWEST * _ORDINARY_ONSETS * frames * HOP / SAMPLE_RATE
    rank = min(len(rise), max(1, round(slowest)))
    return float(np.partition(rise, -rank)[-rank])


def measure(audio: Samples) -> Prosody:
    """Measure the samples of one segment of speech."""
    loudness = volume(float(np.var(audio / FULL_SCALE))) if len(audio) else 0.0
    if loudness == 0 or len(audio) < FRAME + (LEAST_FRAMES - 1) * HOP:
        return NEUTRAL
    magnitudes = spectra(sliding_window_view(audio, FRAME)[::HOP])
    power, moment = moments(magnitudes)
    return Prosody(
        volume=loudness,
        rate=rate(onsets(levels(magnitudes)), len(magnitudes)),
        energy=energy(float(power.sum()), float(moment.sum())),
    )


@cache
def _window() -> NDArray[np.float32]:
    return np.hanning(FRAME).astype(np.float32)


@cache
def _frequencies() -> Values:
    return np.fft.rfftfreq(FRAME, 1 / SAMPLE_RATE)[_OFFSET_BINS:].astype(np.float64)
