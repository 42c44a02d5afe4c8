"""Decoding of an opened container's first audio stream to 16 kHz mono PCM."""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError

from steno_audio.errors import AudioError
from steno_audio.pcm import Samples, bytes_from_samples, downmix, to_s16
from steno_audio.resample import StreamResampler

MIN_RATE: Final = 4_000
MAX_RATE: Final = 48_000
HIGH_RATES: Final = frozenset((64_000, 88_200, 96_000, 176_400, 192_000))
MAX_CHANNELS: Final = 8
_PLANES_OF_A_FRAME: Final = 8
_MAX_BAD_PACKETS: Final = 100  # in a row; 2 s of Opus
_MAX_RATES: Final = 8  # a filter is designed for each
_MAX_WAITING: Final = 1 << 18  # samples at the source's rate kept before they are resampled


class PcmCollector:
    """Decoded audio in, 16 kHz mono PCM out; the PCM does not depend on when it is taken.

    Each rate that a stream changes to is resampled on its own, one after the other.
    """

    def __init__(self) -> None:
        self.size = 0  # bytes made so far
        self._rates: set[int] = set()
        self._resampler: StreamResampler | None = None
        self._waiting: list[Samples] = []
        self._waiting_samples = 0
        self._pcm: list[bytes] = []

    def add_frame(self, frame: AudioFrame) -> None:
        """Take the next frame; raises AudioError for a rate or a number of channels not taken."""
        rate = frame.sample_rate
        if not MIN_RATE <= rate <= MAX_RATE and rate not in HIGH_RATES:
            message = f"a sample rate of {rate} Hz is not supported"
            raise AudioError("undecodable_audio", message)
        self.add(_mono(frame), rate)

    def add(self, samples: Samples, rate: int) -> None:
        """Take the next mono samples at `rate` Hz."""
        if self._resampler is None or rate != self._resampler.rate:
            self.end()
            self._rates.add(rate)
            if len(self._rates) > _MAX_RATES:
                raise AudioError("undecodable_audio", f"more than {_MAX_RATES} sample rates in it")
            self._resampler = StreamResampler(rate)
        self._waiting.append(samples)
        self._waiting_samples += len(samples)
        if self._waiting_samples >= _MAX_WAITING:
            self._resample()

    @property
    def waiting_seconds(self) -> float:
        """Audio that the next `take` will resample."""
        return 0.0 if self._resampler is None else self._waiting_samples / self._resampler.rate

    def take(self) -> bytes:
        """The PCM of the samples so far that was not taken yet."""
        self._resample()
        pcm = b"".join(self._pcm)
        self._pcm.clear()
        return pcm

    def end(self) -> None:
        """No more samples: the resampler's tail is added to what can be taken."""
        self._resample()
        if self._resampler is not None:
            self._append(self._resampler.flush())
            self._resampler = None

    def _resample(self) -> None:
        if self._resampler is not None and self._waiting:
            self._append(self._resampler.feed(np.concatenate(self._waiting)))
            self._waiting.clear()
            self._waiting_samples = 0

    def _append(self, samples: Samples) -> None:
        pcm = bytes_from_samples(samples)
        self.size += len(pcm)
        self._pcm.append(pcm)


def audio_stream(container: InputContainer) -> AudioStream:
    """The first audio stream; raises AudioError if there is none, or no decoder for it."""
    if not container.streams.audio:
        raise AudioError("undecodable_audio", "there is no audio stream in it")
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise AudioError("undecodable_audio", "there is no decoder for its audio stream")
    return stream


def decode_frames(container: InputContainer, at_end: Callable[[], bool]) -> Iterator[AudioFrame]:
    """The frames of the first audio stream.

    A packet that does not decode is left out. A fault of the container while `at_end` says that the
    input is used up means a truncated end: what came before it is given, then the frames end.

    Raises AudioError (`undecodable_audio`) for a fault before that, for too many bad packets in a
    row, or if all the packets are bad.
    """
    stream = audio_stream(container)
    # Threads inside a decoder would delay frames by a number that depends on the machine.
    stream.codec_context.thread_count = 1
    bad = good = 0
    try:
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except FFmpegError as error:
                bad += 1
                if bad > _MAX_BAD_PACKETS:
                    raise undecodable(error) from error
                continue
            for frame in frames:
                bad, good = 0, good + 1
                yield frame
    except FFmpegError as error:
        if not at_end():
            raise undecodable(error) from error
        for frame in stream.codec_context.decode(None):
            good += 1
            yield frame
    if bad and not good:
        raise AudioError("undecodable_audio", "none of its audio could be decoded")


def undecodable(error: FFmpegError) -> AudioError:
    """The error for the sender, with FFmpeg's reason."""
    return AudioError("undecodable_audio", f"the audio cannot be decoded: {error.strerror}")


def _mono(frame: AudioFrame) -> Samples:
    channels = frame.layout.nb_channels
    if channels > MAX_CHANNELS:
        raise AudioError("undecodable_audio", f"{channels} channels: at most {MAX_CHANNELS}")
    if not frame.format.is_planar:
        return downmix(to_s16(frame.to_ndarray()).reshape(-1, channels))
    if channels < _PLANES_OF_A_FRAME:
        return downmix(to_s16(frame.to_ndarray()).T)
    return _mono(_interleaved(frame))


def _interleaved(frame: AudioFrame) -> AudioFrame:
    """The same samples in one plane.

    PyAV finds the number of planes by the empty one behind the last: in a frame whose eight places
    are all taken it goes on into memory that is no plane.
    """
    interleaver = AudioResampler(frame.format.packed, frame.layout, frame.sample_rate)
    return interleaver.resample(frame)[0]
