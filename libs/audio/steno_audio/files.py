"""Decoding of whole files."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from os import PathLike
from pathlib import Path
from typing import BinaryIO, Final

import av
from av.container import InputContainer
from av.error import FFmpegError

from steno_audio.errors import AudioError
from steno_audio.frames import PcmCollector, audio_stream, decode_frames, undecodable
from steno_audio.pcm import BYTES_PER_SAMPLE, SAMPLE_RATE

AudioSource = str | PathLike[str] | BinaryIO
"""A file's path, or a seekable binary file, which stays open."""

_US_PER_SECOND: Final = 1_000_000
# Every format that people keep speech in. Not the formats that name other files or addresses
# (playlists, concat, sdp, dash): those read where they like, and wait for what is not there.
_CONTAINERS: Final = (
    "aac ac3 aiff amr amrnb amrwb ape asf au avi caf dsf dss dts eac3 flac flv gsm loas matroska "
    "mov mp3 mpc mpc8 mpeg mpegts mxf nistsphere nut ogg oma qcp rm shn sln sox tak tta voc w64 "
    "wav webm wtv wv xwma"
)
_OPTIONS: Final[Mapping[str, str]] = {
    "format_whitelist": _CONTAINERS.replace(" ", ","),
    "protocol_whitelist": "none",
}


def decode_file(source: AudioSource, *, block_samples: int = SAMPLE_RATE) -> Iterator[bytes]:
    """16 kHz mono s16le PCM of a file's first audio stream, in blocks of `block_samples` samples.

    The last block may be shorter. All usual audio and video files can be decoded; of a
    truncated file, what there is of it. The first block opens the file.

    Raises AudioError (`undecodable_audio`) for a file that is missing, has no audio or cannot be
    decoded.
    """
    if block_samples < 1:
        raise ValueError("a block has at least one sample")
    block = block_samples * BYTES_PER_SAMPLE
    collector = PcmCollector()
    pcm = b""
    with _opened(source) as container:
        for frame in decode_frames(container, lambda: True):
            collector.add_frame(frame)
            if collector.waiting_seconds >= 1:
                pcm += collector.take()
                whole = len(pcm) - len(pcm) % block
                yield from (pcm[at : at + block] for at in range(0, whole, block))
                pcm = pcm[whole:]
        collector.end()
        pcm += collector.take()
        yield from (pcm[at : at + block] for at in range(0, len(pcm), block))


def file_samples(source: AudioSource) -> int | None:
    """How long a file says it is, in samples at 16 kHz; None if it does not say.

    Raises AudioError as `decode_file` does.
    """
    with _opened(source) as container:
        stream = audio_stream(container)
        if stream.duration is not None and stream.time_base is not None:
            return round(stream.duration * stream.time_base * SAMPLE_RATE)
        if container.duration is not None:
            return container.duration * SAMPLE_RATE // _US_PER_SECOND
        return None


@contextmanager
def _opened(source: AudioSource) -> Iterator[InputContainer]:
    """FFmpeg gets an open file, never a name: it opens nothing itself."""
    with ExitStack() as stack:
        if isinstance(source, str | PathLike):
            try:
                file: BinaryIO = stack.enter_context(Path(source).open("rb"))
            except OSError as error:
                raise AudioError("undecodable_audio", f"{source}: {error.strerror}") from error
        else:
            file = source
        try:
            container = av.open(file, "r", options=dict(_OPTIONS), metadata_errors="replace")
        except FFmpegError as error:
            raise undecodable(error) from error
        yield stack.enter_context(container)
