"""A file made of chunks that are still to come."""

import io
from collections.abc import Callable


class ChunkFile:
    """A file to read once, forwards, that asks for a chunk only when the last one is used up.

    `next_chunk` is called for each chunk; None from it is the end of the input.
    """

    def __init__(self, next_chunk: Callable[[], bytes | None]) -> None:
        self.at_end = False
        self._next_chunk = next_chunk
        self._chunk = io.BytesIO()

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, never of two chunks; none at the end of the input."""
        data = self._chunk.read(size)
        while not data and not self.at_end:
            chunk = self._next_chunk()
            self.at_end = chunk is None
            self._chunk = io.BytesIO(chunk or b"")
            data = self._chunk.read(size)
        return data

    def read_exactly(self, size: int) -> bytes:
        """`size` bytes, fewer only at the end of the input."""
        data = b""
        while len(data) < size and (more := self.read(size - len(data))):
            data += more
        return data

    def unread(self, data: bytes) -> None:
        """Let the next `read` begin with these bytes again."""
        self._chunk = io.BytesIO(data + self._chunk.read())
