"""Audio as the rules see it: signed 16-bit samples, 16 kHz, mono."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
"""One dimension, native byte order."""


def from_bytes(pcm: bytes) -> Samples:
    """Read s16le bytes without copying them; a half sample at the end is an error."""
    return np.frombuffer(pcm, dtype="<i2").astype(np.int16, copy=False)


def blocks(samples: Samples, length: int) -> Iterator[Samples]:
    """Cut samples into consecutive views of at most `length`."""
    for start in range(0, len(samples), length):
        yield samples[start : start + length]
