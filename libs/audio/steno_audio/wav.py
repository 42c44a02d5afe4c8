"""The WAV header of plain samples."""

import io
import struct
import wave
from collections.abc import Callable, Mapping
from typing import Final

from steno_audio.errors import AudioError
from steno_audio.formats import AudioFormat, Encoding
from steno_audio.pcm import BYTES_PER_SAMPLE, SAMPLE_RATE

_FORMAT: Final = struct.Struct("<HHIIHH")  # tag, channels, rate, bytes a second, frame, bits
_ENCODINGS: Final[Mapping[tuple[int, int], Encoding]] = {
    (1, 16): Encoding.S16LE,
    (3, 32): Encoding.F32LE,
    (6, 8): Encoding.ALAW,
    (7, 8): Encoding.MULAW,
}
_UNKNOWN_SIZES: Final = (0, 0xFFFFFFFF)  # what live writers put there
_UNBOUNDED: Final = 1 << 62
_MAX_HEADER_CHUNK: Final = 1 << 16


def read_wav_header(read: Callable[[int], bytes]) -> tuple[AudioFormat, int] | None:
    """Read up to the first sample; return its format and how many bytes of samples follow.

    `read(n)` gives n bytes, fewer only at the end of the input. None: no plain WAV of a format that
    RawDecoder takes (16-bit, float, G.711; 8 to 48 kHz), or none at all.
    """
    riff = read(12)
    if riff[:4] != b"RIFF" or riff[8:] != b"WAVE":
        return None
    audio_format = None
    while len(chunk := read(8)) == 8:
        kind, size = chunk[:4], int.from_bytes(chunk[4:], "little")
        if kind == b"data":
            if audio_format is None:
                return None
            return audio_format, _UNBOUNDED if size in _UNKNOWN_SIZES else size
        if size > _MAX_HEADER_CHUNK:
            return None
        body = read(size + size % 2)
        if kind == b"fmt ":
            audio_format = _raw_format(body)
    return None


def _raw_format(body: bytes) -> AudioFormat | None:
    if len(body) < _FORMAT.size:
        return None
    tag, channels, rate, _, frame_bytes, bits = _FORMAT.unpack_from(body)
    encoding = _ENCODINGS.get((tag, bits))
    if encoding is None or frame_bytes != channels * bits // 8:
        return None
    try:
        return AudioFormat(encoding, rate, channels)
    except AudioError:
        return None


def wav_bytes(pcm: bytes) -> bytes:
    """A complete WAV file around 16 kHz mono s16le PCM."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(BYTES_PER_SAMPLE)
        writer.setframerate(SAMPLE_RATE)
        writer.writeframes(pcm)
    return file.getvalue()
