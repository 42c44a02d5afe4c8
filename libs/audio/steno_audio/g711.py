"""G.711 mu-law and A-law expansion by table (ITU-T G.711)."""

from functools import cache

import numpy as np

from steno_audio.pcm import Samples


@cache
def mulaw_table() -> Samples:
    """16-bit sample of each of the 256 mu-law bytes; 0xFF is silence."""
    return np.array([_mulaw(byte) for byte in range(256)], dtype=np.int16)


@cache
def alaw_table() -> Samples:
    """16-bit sample of each of the 256 A-law bytes; 0xD5 is the smallest positive value."""
    return np.array([_alaw(byte) for byte in range(256)], dtype=np.int16)


def _mulaw(byte: int) -> int:
    code = ~byte & 0xFF
    exponent, mantissa = (code >> 4) & 7, code & 15
    magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84
    return -magnitude if code & 0x80 else magnitude


def _alaw(byte: int) -> int:
    code = byte ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    magnitude = (mantissa << 4) + 8
    if exponent:
        magnitude = (magnitude + 0x100) << (exponent - 1)
    return magnitude if code & 0x80 else -magnitude
