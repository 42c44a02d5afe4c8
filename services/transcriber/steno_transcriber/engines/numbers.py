"""Audio that carries numbers: written as bursts that survive exact PCM, read back to the sample.

A word is a burst of 40 cells without a single zero sample: the sign of each cell is a bit, 24 bits
of the number before 16 of a CRC. Digital silence parts the words. A sample lost, doubled, changed
or out of place breaks its word, and a broken word is read as such, not as another number.
"""

import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from steno_transcriber.domain.samples import Samples

LARGEST: Final = (1 << 24) - 1
"""Largest number of a word."""

CELL: Final = 64
"""Samples of one bit."""

CELLS: Final = 40
WORD: Final = CELLS * CELL
"""Samples of one word (0.16 s)."""

GAP: Final = 1_600
"""Silence between words: holds two frames of a speech detector however they fall, so that a border
inside a phrase is never inside a word."""

_LOUD: Final = 8_000
"""A single sample of it makes a frame speech for the detector of loudness."""

_BITS: Final = np.arange(CELLS - 1, -1, -1)


@dataclass(frozen=True, slots=True)
class Burst:
    """A stretch of sound: `end` is the sample after its last, the number None if it is broken."""

    number: int | None
    start: int
    end: int


def silence(samples: int) -> Samples:
    """Give digital silence."""
    return np.zeros(samples, np.int16)


def word(number: int) -> Samples:
    """Write one number, 0 to LARGEST."""
    if not 0 <= number <= LARGEST:
        raise ValueError(f"a word holds a number from 0 to {LARGEST}")
    bits = (_checked(number) >> _BITS) & 1
    return np.repeat(np.where(bits, _LOUD, -_LOUD), CELL).astype(np.int16)


def phrase(numbers: Iterable[int]) -> Samples:
    """Write numbers with a gap behind each."""
    pieces = [piece for number in numbers for piece in (word(number), silence(GAP))]
    return np.concatenate(pieces) if pieces else silence(0)


def read(audio: Samples) -> list[Burst]:
    """Read every burst of the audio, in order."""
    sounding = np.concatenate(([0], (audio != 0).astype(np.int8), [0]))
    edges = np.flatnonzero(np.diff(sounding))
    return [
        Burst(_number(audio[start:end]), start, end)
        for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    ]


def _checked(number: int) -> int:
    return number << 16 | binascii.crc_hqx(number.to_bytes(3, "big"), 0)


def _number(burst: Samples) -> int | None:
    if len(burst) != WORD:
        return None
    cells = burst.reshape(CELLS, CELL)
    if not np.array_equal(np.abs(cells), np.full_like(cells, _LOUD)):
        return None
    if not np.array_equal(cells, np.repeat(cells[:, :1], CELL, axis=1)):
        return None
    value = int(((cells[:, 0] > 0).astype(np.int64) << _BITS).sum())
    number = value >> 16
    return number if value == _checked(number) else None
