"""Decoding of raw samples that arrive in pieces cut anywhere."""

import numpy as np

from steno_audio.formats import AudioFormat, Encoding
from steno_audio.g711 import alaw_table, mulaw_table
from steno_audio.pcm import (
    SAMPLE_RATE,
    Samples,
    bytes_from_samples,
    downmix,
    samples_from_bytes,
    to_s16,
)
from steno_audio.resample import StreamResampler


class SampleReader:
    """Interleaved raw samples of all channels in, mono samples at the same rate out.

    `partial` is the incomplete frame at the end of the bytes so far.
    """

    def __init__(self, audio_format: AudioFormat, partial: bytes = b"") -> None:
        self.partial = partial
        self._encoding = audio_format.encoding
        self._channels = audio_format.channels
        self._frame_bytes = audio_format.frame_bytes

    def read(self, chunk: bytes) -> Samples:
        """Take the next bytes; return the frames that they complete."""
        data = self.partial + chunk
        whole = len(data) - len(data) % self._frame_bytes
        self.partial = data[whole:]
        return downmix(self._expand(data[:whole]).reshape(-1, self._channels))

    def _expand(self, data: bytes) -> Samples:
        match self._encoding:
            case Encoding.MULAW:
                return mulaw_table()[np.frombuffer(data, np.uint8)]
            case Encoding.ALAW:
                return alaw_table()[np.frombuffer(data, np.uint8)]
            case Encoding.F32LE:
                return to_s16(np.frombuffer(data, "<f4"))
            case _:
                return samples_from_bytes(data)


class RawDecoder:
    """PCM or G.711 in, 16 kHz mono s16le PCM out; the output does not depend on the cuts.

    `carry` is the state after the bytes so far: a new decoder of the same format that is given it
    goes on without a difference. An incomplete frame at the end of the input is dropped.

    Raises ValueError for a carry of another format.
    """

    def __init__(self, audio_format: AudioFormat, carry: bytes = b"") -> None:
        if audio_format.is_container:
            raise ValueError(f"{audio_format.encoding} is a container, not raw audio")
        self._format = audio_format
        if not carry:
            self._start()
            return
        end = 1 + carry[0]
        if end > audio_format.frame_bytes or end > len(carry):
            raise ValueError("the carry is not of this audio format")
        self._reader = SampleReader(audio_format, carry[1:end])
        self._resampler = StreamResampler.restore(audio_format.sample_rate, carry[end:])

    @property
    def carry(self) -> bytes:
        """The state after the bytes so far: a partial frame behind its length, the resampler's."""
        partial = self._reader.partial
        return bytes((len(partial),)) + partial + self._resampler.export()

    @property
    def produced(self) -> int:
        """Samples of output so far."""
        return self._resampler.produced

    @property
    def quick_bytes(self) -> int:
        """A second where nothing is resampled, else nothing."""
        native = self._format.sample_rate == SAMPLE_RATE
        return SAMPLE_RATE * self._format.frame_bytes if native else 0

    def decode(self, chunk: bytes) -> bytes:
        """Take the next bytes; return the 16 kHz mono PCM that they complete."""
        return bytes_from_samples(self._resampler.feed(self._reader.read(chunk)))

    def finish(self) -> bytes:
        """End of input: return the rest of the PCM."""
        rest = bytes_from_samples(self._resampler.flush())
        self._start()
        return rest

    def close(self) -> None:
        """Nothing to give back."""

    def _start(self) -> None:
        self._reader = SampleReader(self._format)
        self._resampler = StreamResampler(self._format.sample_rate)
