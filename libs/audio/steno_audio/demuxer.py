"""The thread that decodes a container, chunk for chunk."""

from collections.abc import Mapping
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Final

import av
from av.container import InputContainer
from av.error import FFmpegError

from steno_audio.chunks import ChunkFile
from steno_audio.errors import AudioError
from steno_audio.formats import Encoding
from steno_audio.frames import PcmCollector, decode_frames, undecodable
from steno_audio.pcm import BYTES_PER_SAMPLE, SAMPLE_RATE
from steno_audio.raw import SampleReader
from steno_audio.sniff import HEAD_BYTES, resolve_container
from steno_audio.wav import read_wav_header

MAX_CHUNK_SECONDS: Final = 3_600
"""Audio that may come out of one chunk, at most: a few crafted bytes can unfold to as much."""

_DEMUXERS: Final[Mapping[Encoding, str]] = {Encoding.WEBM: "matroska"}  # others: the same name
_OPTIONS: Final[Mapping[str, str]] = {
    "protocol_whitelist": "none",  # input never makes FFmpeg open anything else
    "probesize": "65536",  # bytes looked at before the first packet is given
    "analyzeduration": "500000",  # microseconds, likewise
    "fpsprobesize": "0",
}
_READ_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Answer:
    """The PCM that one chunk led to; the `last` answer of a stream may bring an error too."""

    pcm: bytes
    error: Exception | None = None
    last: bool = False


class Demuxer:
    """Reads chunks from a queue as if they were a file, which is how FFmpeg wants them.

    `run` is the thread's body. Of each item put into `chunks` (None: the end of the input) exactly
    one comes out of `answers`, until the last one: one side waits while the other works.
    """

    def __init__(self, declared: Encoding, max_chunk_seconds: int | None = None) -> None:
        """`max_chunk_seconds` bounds the audio in one chunk; None: by MAX_CHUNK_SECONDS alone."""
        self._max_seconds = max_chunk_seconds or MAX_CHUNK_SECONDS
        self.chunks: SimpleQueue[bytes | None] = SimpleQueue()
        self.answers: SimpleQueue[Answer] = SimpleQueue()
        self._declared = declared
        self._file = ChunkFile(self._next_chunk)
        self._collector = PcmCollector()
        self._has_chunk = False
        self._size_limit = 0

    def run(self) -> None:
        """Decode until the end of the input, the end of the container or a fault."""
        error: Exception | None = None
        try:
            self._decode()
        except Exception as fault:  # noqa: BLE001 - raised again by the caller, who waits for it
            error = fault
        self.answers.put(Answer(self._collector.take(), error, last=True))

    def _next_chunk(self) -> bytes | None:
        """The last chunk is used up: answer it, then wait for the next."""
        if self._has_chunk:
            self.answers.put(Answer(self._collector.take()))
        self._has_chunk = True
        limit = self._max_seconds * SAMPLE_RATE * BYTES_PER_SAMPLE
        self._size_limit = self._collector.size + limit
        return self.chunks.get()

    def _decode(self) -> None:
        head = self._file.read_exactly(HEAD_BYTES)
        self._file.unread(head)
        encoding = resolve_container(self._declared, head)
        if encoding is Encoding.WAV and self._decode_plain_wav():
            return
        with self._open(_DEMUXERS.get(encoding, encoding.value)) as container:
            for frame in decode_frames(container, lambda: self._file.at_end):
                self._collector.add_frame(frame)
                if self._collector.size > self._size_limit:
                    raise AudioError(
                        "undecodable_audio", f"over {self._max_seconds} s of audio in one chunk"
                    )
        self._collector.end()

    def _open(self, name: str) -> InputContainer:
        try:
            return av.open(
                self._file, "r", format=name, options=dict(_OPTIONS), metadata_errors="replace"
            )
        except FFmpegError as error:
            if not self._file.at_end:
                raise undecodable(error) from error
            message = f"the {name} stream ends within its header"
            raise AudioError("undecodable_audio", message) from error

    def _decode_plain_wav(self) -> bool:
        """Decode a WAV of plain samples; False, with nothing used up, if it is another.

        FFmpeg looks at 64 KiB of samples before it gives any: 2 s of live speech.
        """
        seen = b""

        def read(size: int) -> bytes:
            nonlocal seen
            data = self._file.read_exactly(size)
            seen += data
            return data

        header = read_wav_header(read)
        if header is None:
            self._file.unread(seen)
            return False
        audio_format, left = header
        samples = SampleReader(audio_format)
        while left and (data := self._file.read(min(left, _READ_BYTES))):
            left -= len(data)
            self._collector.add(samples.read(data), audio_format.sample_rate)
        self._collector.end()
        return True
