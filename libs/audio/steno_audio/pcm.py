"""Sample arithmetic on 16-bit PCM."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE: Final = 16_000
"""Samples a second of all audio inside Steno (mono, signed 16 bit little-endian)."""

BYTES_PER_SAMPLE: Final = 2

Samples = NDArray[np.int16]


def samples_from_bytes(pcm: bytes) -> Samples:
    """Read little-endian 16-bit samples; the length of `pcm` is even."""
    return np.frombuffer(pcm, dtype="<i2").astype(np.int16, copy=False)


def bytes_from_samples(samples: Samples) -> bytes:
    """Write samples as little-endian 16-bit PCM."""
    return samples.astype("<i2", copy=False).tobytes()


def to_s16(samples: NDArray[Any]) -> Samples:
    """Convert samples of any type a decoder gives (u8, s16, s32, s64, float, double) to 16 bits.

    Wider integers round half up. Floats: 1.0 is full scale and clips, NaN and infinities are 0.
    """
    kind, size = samples.dtype.kind, samples.dtype.itemsize
    if kind == "f":
        clipped = np.clip(np.where(np.isfinite(samples), samples, 0.0), -1.0, 1.0)
        return np.minimum(np.rint(clipped * 32768.0), 32767.0).astype(np.int16)
    if kind == "u" and size == 1:
        return (samples.astype(np.int16) - 128) << 8
    if kind != "i" or size == 1:
        raise ValueError(f"no audio sample type: {samples.dtype}")
    if size == BYTES_PER_SAMPLE:
        return samples.astype(np.int16, copy=False)
    halves = samples >> (8 * size - 17)
    return np.asarray(np.minimum((halves + 1) >> 1, 32767), np.int16)


def downmix(frames: Samples) -> Samples:
    """Mean of the channels, rounded half up: shape (samples, channels) to (samples,)."""
    channels = frames.shape[1]
    if channels == 1:
        return frames[:, 0]
    total = frames.sum(axis=1, dtype=np.int32)
    return np.asarray((2 * total + channels) // (2 * channels), np.int16)
