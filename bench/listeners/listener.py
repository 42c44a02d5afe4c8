"""A listener that costs little: it reads finals and utterances, and passes over the rest."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Final, Literal

from bench.hostile.frames import CLOSE, PING, PONG, frame

KEPT: Final = {
    "server:transcription_final": "final",
    "server:utterance": "utterance",
    "server:session_completed": "completed",
}
_LONGEST_TYPE: Final = 60

Transport = Literal["websocket", "sse"]


@dataclass(frozen=True, slots=True)
class Heard:
    """One event as it came to a listener."""

    event: int
    kind: str
    sequence: int
    """The last chunk that a final covers."""
    at: float
    """Monotonic time of the machine (s)."""


def request(transport: Transport, session_id: str) -> bytes:
    """Give the request that begins to listen."""
    if transport == "sse":
        return (
            f"GET /api/streaming/sessions/{session_id}/events HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        )
    lines = (f"GET /api/streaming/sessions/{session_id}/listen HTTP/1.1", "Host: x",
             "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", "")  # fmt: skip
    return "\r\n".join(lines).encode()


@dataclass(eq=False)
class Listener(asyncio.Protocol):
    """One connection, read with no more work than it takes."""

    transport_kind: Transport
    session_id: str
    mute: bool = False
    """Whether it stops reading as soon as it is let in."""
    heard: list[Heard] = field(default_factory=list)
    let_in: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the session is complete or the connection is."""
    how: str = "still open"
    _buffer: bytes = b""
    _transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask to listen."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(request(self.transport_kind, self.session_id))

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self._buffer += data
        if not self.let_in.is_set():
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            self.how = "still open" if b" 101 " in head or b" 200 " in head else "refused"
            self._buffer = rest
            self.let_in.set()
            if self.mute:
                self.stop_reading()
        at = asyncio.get_running_loop().time()
        read = self._frame if self.transport_kind == "websocket" else self._chunk
        while (message := read()) is not None:
            self._take(message, at)

    def connection_lost(self, error: Exception | None) -> None:
        """Note the end."""
        if self.how == "still open":
            self.how = "closed" if error is None else "reset"
        self.let_in.set()
        self.over.set()

    def stop_reading(self) -> None:
        """Read nothing more."""
        if self._transport is not None:
            self._transport.pause_reading()

    def go_on_reading(self) -> None:
        """Read what has come meanwhile."""
        if self._transport is not None:
            self._transport.resume_reading()

    def leave(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _frame(self) -> bytes | None:
        """Give the payload of the next WebSocket frame, if it is all there."""
        if len(self._buffer) < 2:
            return None
        size, start = self._buffer[1] & 0x7F, 2
        if size > 125:
            start = 4 if size == 126 else 10
            size = int.from_bytes(self._buffer[2:start])
        if len(self._buffer) < start + size:
            return None
        opcode, payload = self._buffer[0] & 0x0F, self._buffer[start : start + size]
        self._buffer = self._buffer[start + size :]
        if opcode == CLOSE:
            self.how = f"closed {int.from_bytes(payload[:2])}"
        if opcode == PING and self._transport is not None:
            self._transport.write(frame(PONG, payload))
        return payload

    def _chunk(self) -> bytes | None:
        """Give the data of the next Server-Sent Event, if it is all there."""
        head, end, rest = self._buffer.partition(b"\r\n")
        if not end or not head:
            return None
        size = int(head, 16)
        if len(rest) < size + 2:
            return None
        self._buffer = rest[size + 2 :]
        return rest[:size].rpartition(b"data: ")[2]

    def _take(self, message: bytes, at: float) -> None:
        name = message[:_LONGEST_TYPE].partition(b'"type":"')[2].partition(b'"')[0].decode()
        if kind := KEPT.get(name):
            fields = json.loads(message)
            sequence = fields.get("sequence_number", 0)
            self.heard.append(Heard(fields["event"], kind, sequence, at))
            if kind == "completed":
                self.over.set()
