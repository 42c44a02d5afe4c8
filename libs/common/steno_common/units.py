"""Audio time as an integer count of samples, the only unit inside Steno."""

from typing import Final

SAMPLE_RATE: Final = 16_000
"""Samples per second of all audio behind the gateway: mono, signed 16 bit, little endian."""

SAMPLE_BYTES: Final = 2


def to_seconds(samples: int) -> float:
    """Give seconds for a user, rounded to a millisecond."""
    return round(samples / SAMPLE_RATE, 3)


def to_samples(seconds: float) -> int:
    """Give the nearest whole number of samples."""
    return round(seconds * SAMPLE_RATE)
