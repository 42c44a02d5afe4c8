"""How a segment was spoken: loudness, pace, brightness."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from steno_common.messages import Prosody
from steno_common.units import SAMPLE_RATE
from steno_transcriber.domain.samples import Samples

NEUTRAL: Final = Prosody(0.5, 1.0, 0.5)
"""For audio too short or too silent to say anything."""

_FRAME: Final = 512
_HOP: Final = 256
_FLOOR_DB: Final = 60.0
_ORDINARY_ONSETS: Final = 4.0
"""Onsets a second in ordinary speech: about one a syllable."""
_BRIGHT_HZ: Final = 4_000.0


def measure(audio: Samples) -> Prosody:
    """Measure the samples of one segment of speech.

    `volume`: RMS in decibels, -60 dBFS is 0, full scale 1. `rate`: onsets a second against an
    ordinary 4, 0.5 to 2. `energy`: centre of the spectrum, 4 kHz is 1.
    """
    if len(audio) < 4 * _FRAME or not audio.any():
        return NEUTRAL
    wave = audio.astype(np.float32) / 32_768
    level = 10 * float(np.log10(np.mean(np.square(wave), dtype=np.float64)))
    frames = np.lib.stride_tricks.sliding_window_view(wave, _FRAME)[::_HOP]
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(_FRAME).astype(np.float32), axis=1))
    return Prosody(
        volume=round(min(1.0, max(0.0, 1 + level / _FLOOR_DB)), 3),
        rate=round(min(2.0, max(0.5, _onsets_a_second(spectrum) / _ORDINARY_ONSETS)), 3),
        energy=round(min(1.0, _centre(spectrum) / _BRIGHT_HZ), 3),
    )


def _onsets_a_second(spectrum: NDArray[np.float64]) -> float:
    """Count peaks of the rise in the spectrum (its flux) that stand out of the mean."""
    rise = np.maximum(np.diff(np.log1p(100 * spectrum), axis=0), 0).mean(axis=1)
    inner = rise[1:-1]
    peaks = (inner > rise[:-2]) & (inner >= rise[2:]) & (inner > 1.5 * rise.mean())
    return float(peaks.sum()) * SAMPLE_RATE / (len(spectrum) * _HOP)


def _centre(spectrum: NDArray[np.float64]) -> float:
    """Give the power-weighted mean frequency in Hz."""
    power = np.square(spectrum).sum(axis=0)
    total = float(power.sum())
    return float(power @ np.fft.rfftfreq(_FRAME, 1 / SAMPLE_RATE)) / total if total else 0.0
