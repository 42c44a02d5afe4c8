"""Signals whose loudness, pace or brightness can be said beforehand."""

import numpy as np

from steno_transcriber.domain.samples import Samples


def decibels(amplitude: float) -> float:
    """Give dBFS."""
    return 20 * float(np.log10(amplitude / 32_768))


def tone(hertz: float, amplitude: float, seconds: float = 3.0) -> Samples:
    times = np.arange(int(seconds * 16_000)) / 16_000
    return (amplitude * np.sin(2 * np.pi * hertz * times)).astype(np.int16)


def clipped(hertz: float, seconds: float = 3.0) -> Samples:
    """Give a tone that is far too loud for 16 bits."""
    wave = tone(hertz, 32_767, seconds).astype(np.float64) * 50
    return wave.clip(-32_768, 32_767).astype(np.int16)


def noise(deviation: float, seconds: float = 3.0, seed: int = 1) -> Samples:
    """Give white noise."""
    values = np.random.default_rng(seed).normal(0, deviation, int(seconds * 16_000))
    return values.clip(-32_768, 32_767).astype(np.int16)


def clicks(a_second: float, seconds: float) -> Samples:
    """Give so many clicks of 2 ms a second."""
    train = np.zeros(int(seconds * 16_000), np.int16)
    for start in (np.arange(0.1, seconds - 0.1, 1 / a_second) * 16_000).astype(int):
        train[start : start + 32] = 20_000
    return train


def bursts(of: Samples, a_second: float, sounding: float = 0.5) -> Samples:
    """Give a sound that is there so many times a second, each time for this share of it."""
    turns = np.arange(len(of)) * a_second / 16_000 + 0.5
    return (of * (turns % 1 < sounding)).astype(np.int16)


def waves(of: Samples, a_second: float) -> Samples:
    """Give a sound that swells and fades so many times a second."""
    turns = np.arange(len(of)) * a_second / 16_000
    return (of * (0.5 - 0.5 * np.cos(2 * np.pi * turns))).astype(np.int16)
