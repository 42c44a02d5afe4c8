"""Sounds that are no speech: backgrounds to mix in, or windows without any words."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Sound = npt.NDArray[np.float32]
SECONDS = 12
_SIZE = SECONDS * 16_000
_TIME = np.arange(_SIZE) / 16_000


def coloured(rng: np.random.Generator) -> Sound:
    """Return noise whose power falls with frequency by a random slope (white to brown)."""
    spectrum = np.fft.rfft(rng.standard_normal(_SIZE))
    slope = rng.choice([0.0, 0.5, 1.0, rng.uniform(0, 1)])
    return _back(spectrum / np.maximum(np.arange(len(spectrum)), 20) ** slope)


def speech_shaped(rng: np.random.Generator) -> Sound:
    """Return noise with the spectrum and the syllable rhythm of speech."""
    spectrum = np.fft.rfft(rng.standard_normal(_SIZE))
    hertz = np.fft.rfftfreq(_SIZE, 1 / 16_000)
    shape = (hertz > 80) / (1 + (hertz / rng.uniform(400, 900)) ** rng.uniform(1, 2))
    for _ in range(rng.integers(0, 4)):
        centre = rng.uniform(300, 3500)
        shape += rng.uniform(0.3, 2) * np.exp(-(((hertz - centre) / rng.uniform(80, 300)) ** 2))
    depth, rate = rng.uniform(0, 0.9), rng.uniform(1, 8)
    rhythm = 1 + depth * np.sin(2 * np.pi * rate * _TIME + 3 * np.sin(2 * np.pi * 0.7 * _TIME))
    return np.asarray(_back(spectrum * shape) * rhythm, dtype=np.float32)


def hum(rng: np.random.Generator) -> Sound:
    """Return a steady tone with harmonics (mains, a motor, a hummed note with vibrato)."""
    base = rng.choice([50.0, 60.0, rng.uniform(40, 400)])
    vibrato = rng.choice([0.0, rng.uniform(0, 2)]) * np.sin(2 * np.pi * rng.uniform(2, 7) * _TIME)
    phase = 2 * np.pi * base * _TIME + vibrato
    count, fall = int(rng.integers(1, 30)), rng.uniform(0.3, 2)
    waves = (np.sin(k * phase + rng.uniform(0, 6)) / k**fall for k in range(1, count + 1))
    return _scaled(np.sum(list(waves), axis=0))


def chords(rng: np.random.Generator) -> Sound:
    """Return music-like chords of decaying notes."""
    sound = np.zeros(_SIZE)
    beat = int(16_000 * rng.uniform(0.12, 0.8))
    decay = rng.uniform(1, 6)
    for start in range(0, _SIZE, beat):
        time = _TIME[: min(_SIZE - start, 4 * beat)]
        for note in rng.integers(40, 84, rng.integers(1, 5)):
            hertz = 440 * 2 ** ((note - 69) / 12)
            wave = sum(np.sin(2 * np.pi * k * hertz * time) / k**2 for k in (1, 2, 3, 4))
            sound[start : start + len(time)] += wave * np.exp(-decay * time)
    return _scaled(sound)


def tones(rng: np.random.Generator) -> Sound:
    """Return beeps, steady tones or sweeps."""
    first, last = np.exp(rng.uniform(np.log(80), np.log(6000), 2))
    last = rng.choice([first, last])
    hertz = first + (last - first) * (_TIME * rng.uniform(0.1, 2) % 1)
    sound = np.sin(2 * np.pi * np.cumsum(hertz) / 16_000)
    if rng.random() < 0.5:
        sound *= (_TIME * rng.uniform(0.3, 6) % 1) < rng.uniform(0.1, 0.8)
    return _scaled(sound)


def clicks(rng: np.random.Generator) -> Sound:
    """Return clicks, knocks or typing: short decaying bursts at random times."""
    sound = np.zeros(_SIZE)
    for start in rng.integers(0, _SIZE - 4000, rng.integers(5, 90)):
        length = int(rng.integers(20, 3000))
        burst = rng.standard_normal(length) * np.exp(-np.arange(length) * 5 / length)
        sound[start : start + length] += burst * rng.uniform(0.2, 1)
    return _scaled(sound)


def babble(rng: np.random.Generator, speech: npt.NDArray[np.int16]) -> Sound:
    """Return many voices at once, of which no word can be made out."""
    sound = np.zeros(_SIZE)
    for _ in range(int(rng.integers(10, 25))):
        first = int(rng.integers(0, len(speech) - _SIZE))
        sound += speech[first : first + _SIZE][:: rng.choice([1, -1])]
    return _scaled(sound)


def bank(rng: np.random.Generator, speech: npt.NDArray[np.int16], each: int = 24) -> list[Sound]:
    """Return `each` sounds of every kind, 12 s long with a mean power of 1."""
    kinds: list[Callable[[np.random.Generator], Sound]]
    kinds = [coloured, coloured, speech_shaped, hum, chords, tones, clicks]
    return [kind(rng) for kind in kinds for _ in range(each)] + [
        babble(rng, speech) for _ in range(each)
    ]


def _back(spectrum: npt.NDArray[np.complex128]) -> Sound:
    return _scaled(np.fft.irfft(spectrum, _SIZE))


def _scaled(sound: npt.NDArray[np.floating]) -> Sound:
    return (sound / max(float(np.sqrt(np.mean(sound**2))), 1e-6)).astype(np.float32)
