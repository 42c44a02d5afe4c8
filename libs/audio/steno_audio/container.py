"""Streaming decoding of containers, one chunk at a time."""

from queue import Empty
from threading import Thread
from types import TracebackType
from typing import Final, NoReturn, Self

from steno_audio.demuxer import Demuxer
from steno_audio.errors import AudioError
from steno_audio.formats import AudioFormat
from steno_audio.sniff import mp4_index_is_late

MAX_BARREN_BYTES: Final = 16 << 20
"""Input in a row that may bring no audio (a large cover picture fits)."""

_MP4_HEAD_BYTES: Final = 4_096  # what stands before the index or the media is small
_ANSWER_SECONDS: Final = 60.0  # only a demuxer that hangs takes longer for a chunk
_CLOSE_SECONDS: Final = 5.0


class ContainerDecoder:
    """WebM, Ogg, WAV, FLAC, MP3, MP4, AAC in, 16 kHz mono s16le PCM out, chunk by chunk.

    `decode` returns all PCM that its chunk completes, which is a function of the chunks so far
    alone: the same chunks give the same PCM for each of them. A demuxer reads when it likes, so it
    has a thread, which the first chunk starts; it works only while a call waits for it.

    A chunk that holds more than `max_chunk_seconds` of audio (default: an hour) is a fault.

    Calls block while they decode: make them outside the event loop, one at a time. Close it, or use
    it as a context manager, else the thread stays.
    """

    def __init__(self, audio_format: AudioFormat, max_chunk_seconds: int | None = None) -> None:
        if not audio_format.is_container:
            raise ValueError(f"{audio_format.encoding} is raw audio, not a container")
        self._demuxer = Demuxer(audio_format.encoding, max_chunk_seconds)
        self._thread: Thread | None = None
        self._error: Exception | None = None
        self._ended = False
        self._head = b""
        self._barren_bytes = 0

    @property
    def carry(self) -> None:
        """None: a demuxer's state cannot be exported, only made again from all the chunks."""

    @property
    def quick_bytes(self) -> int:
        """Nothing: a thread of its own decodes."""
        return 0

    def decode(self, chunk: bytes) -> bytes:
        """Take the next bytes of the container; return the PCM that they complete.

        Bytes behind the container's own end, or after `close`, are ignored.

        Raises AudioError (`undecodable_audio`): at once or, if the chunk gave audio before its
        fault, from the next call; then from every call.
        """
        if not chunk:
            return b""
        self._refuse_late_index(chunk)
        pcm = self._ask(chunk)
        self._barren_bytes = 0 if pcm or self._ended else self._barren_bytes + len(chunk)
        if self._barren_bytes > MAX_BARREN_BYTES:
            self._fail(f"no audio within {self._barren_bytes} bytes")
        return pcm

    def finish(self) -> bytes:
        """End of input: return the rest of the PCM; of a truncated container, what there is of it.

        Raises AudioError (`undecodable_audio`) if the input ended before the header was complete.
        """
        if self._thread is None and self._error is None:
            return b""
        return self._ask(None)

    def close(self) -> None:
        """Give the thread back; audio not returned yet is lost unless `finish` came before."""
        self._ended = True
        if self._thread is not None:
            self._demuxer.chunks.put(None)
            self._thread.join(_CLOSE_SECONDS)
            self._thread = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, chunk: bytes | None) -> bytes:
        """Let the demuxer work until it has used the chunk up (None: the end of the input)."""
        if self._error is not None:
            raise self._error
        if self._ended:
            return b""
        if self._thread is None:
            self._thread = Thread(target=self._demuxer.run, name="steno-demuxer", daemon=True)
            self._thread.start()
        self._demuxer.chunks.put(chunk)
        try:
            answer = self._demuxer.answers.get(timeout=_ANSWER_SECONDS)
        except Empty:
            self._fail(f"a chunk was not decoded within {_ANSWER_SECONDS:.0f} s")
        if answer.last:
            self.close()
        self._error = answer.error
        if self._error is not None and not answer.pcm:
            raise self._error
        return answer.pcm

    def _refuse_late_index(self, chunk: bytes) -> None:
        """Without its index, an MP4 gives no sample before its last byte: say so at its first."""
        if len(self._head) < _MP4_HEAD_BYTES:
            self._head += chunk[: _MP4_HEAD_BYTES - len(self._head)]
            if mp4_index_is_late(self._head):
                self._fail(
                    "this MP4 has its index (moov) after the audio and cannot be streamed: "
                    "send it as a complete file, fragmented, or rewritten with faststart"
                )

    def _fail(self, message: str) -> NoReturn:
        self._error = AudioError("undecodable_audio", message)
        self.close()
        raise self._error
