"""The one interface to streaming decoders."""

from typing import Protocol

from steno_audio.container import ContainerDecoder
from steno_audio.formats import AudioFormat
from steno_audio.raw import RawDecoder


class Decoder(Protocol):
    """Bytes of one stream in, 16 kHz mono s16le PCM out.

    Calls block and are made one at a time. After `finish` only `close` may follow.
    """

    @property
    def carry(self) -> bytes | None:
        """The state after the bytes so far; None for containers, which cannot export theirs."""

    @property
    def quick_bytes(self) -> int:
        """Chunks up to this size are decoded in less time than another thread takes to begin."""

    def decode(self, chunk: bytes) -> bytes:
        """The PCM that the next bytes complete; raises AudioError for bytes that are no audio."""

    def finish(self) -> bytes:
        """The rest of the PCM at the end of the input."""

    def close(self) -> None:
        """Give everything back; may be called more than once."""


def decoder_for(
    audio_format: AudioFormat, carry: bytes = b"", *, max_chunk_seconds: int | None = None
) -> Decoder:
    """A decoder at the start of a stream or, for raw audio, where another's `carry` was taken.

    `max_chunk_seconds`: audio that a chunk of a container may hold, by default an hour.

    Raises ValueError for a carry that is not of this format.
    """
    if not audio_format.is_container:
        return RawDecoder(audio_format, carry)
    if carry:
        raise ValueError("a container has no carry: its decoder needs all the chunks again")
    return ContainerDecoder(audio_format, max_chunk_seconds)
