"""A WebSocket of a simulation: two ends in one process, with a network between them.

Each end has what our code uses of aiohttp's, and fails as that does. Frames of one direction keep
their order. A line may break at any moment: then what is on its way is lost, and the ends notice
it sooner or later, or not at all.
"""

import asyncio
from collections import deque
from typing import Any, Final

from aiohttp import ClientConnectionResetError, WSCloseCode, WSMessage, WSMsgType
from tests.simulation.chaos import Chaos
from tests.simulation.processes import WORLD

from steno_gateway.socket import HEARTBEAT_SECONDS

BUFFER_BYTES: Final = 48 << 10
"""What a direction holds before the sender has to wait."""

UNANSWERED: Final = (0.5, 1.5)
"""After so many heartbeats an end notices that nobody answers its pings."""


class Pipe:
    """One direction."""

    def __init__(self, loop: asyncio.AbstractEventLoop, chaos: Chaos) -> None:
        self._loop, self._chaos = loop, chaos
        self._flying: deque[tuple[float, WSMessage]] = deque()
        self._landed: deque[WSMessage] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._bytes = 0
        self.broken = False

    def send(self, frame: WSMessage) -> None:
        """Put a frame on its way; it is lost if the line is broken."""
        if self.broken:
            return
        last = self._flying[-1][0] if self._flying else 0.0
        at = max(last, self._loop.time() + self._chaos.delay())
        self._flying.append((at, frame))
        self._bytes += _size(frame)
        self._loop.call_at(at, self._land, context=WORLD)

    def put(self, frame: WSMessage) -> None:
        """Have the reader see a frame at once, behind what has landed."""
        self._landed.append(frame)
        self._news.set()
        self._room.set()

    def cut(self) -> None:
        """Lose what is on its way."""
        self.broken = True
        self._flying.clear()

    async def room(self) -> None:
        """Wait until the reader has read enough, or nobody reads any more."""
        while self._bytes > BUFFER_BYTES and not self.broken:
            self._room.clear()
            await self._room.wait()

    async def receive(self) -> WSMessage:
        """Wait for the next frame."""
        while not self._landed:
            self._news.clear()
            await self._news.wait()
        frame = self._landed.popleft()
        self._bytes -= _size(frame)
        self._room.set()
        return frame

    def _land(self) -> None:
        while self._flying and self._flying[0][0] <= self._loop.time():
            self.put(self._flying.popleft()[1])


def _size(frame: WSMessage) -> int:
    return len(frame.data) if isinstance(frame.data, str | bytes) else 0


class End:
    """What both ends have in common."""

    def __init__(self, reads: Pipe, writes: Pipe) -> None:
        self.closed = False
        self.close_code: int | None = None
        self._reads, self._writes = reads, writes

    async def receive(self) -> WSMessage:
        if self.closed:
            return WSMessage(WSMsgType.CLOSED, None, None)
        frame = await self._reads.receive()
        if frame.type is WSMsgType.CLOSE:
            self._end(frame.data)
            self._writes.send(WSMessage(WSMsgType.CLOSE, frame.data, None))
        elif frame.type is WSMsgType.CLOSED:
            self._end(WSCloseCode.ABNORMAL_CLOSURE)
        return frame

    async def close(self, *, code: int = WSCloseCode.OK, message: bytes = b"") -> None:
        if self.closed:
            return
        self._writes.send(WSMessage(WSMsgType.CLOSE, int(code), message))
        self._end(code)
        self._reads.put(WSMessage(WSMsgType.CLOSING, None, None))

    async def _send(self, frame: WSMessage) -> None:
        if self.closed:
            raise ClientConnectionResetError("Cannot write to closing transport")
        self._writes.send(frame)
        await self._writes.room()

    def _end(self, code: int) -> None:
        self.closed, self.close_code = True, int(code)


class ClientEnd(End):
    """What `ClientSession.ws_connect` gives."""

    async def __aenter__(self) -> "ClientEnd":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def send_str(self, text: str) -> None:
        await self._send(WSMessage(WSMsgType.TEXT, text, None))

    async def send_bytes(self, data: bytes) -> None:
        await self._send(WSMessage(WSMsgType.BINARY, data, None))


class ServerEnd(End):
    """What a handler makes of its request."""

    def __init__(self, reads: Pipe, writes: Pipe) -> None:
        super().__init__(reads, writes)
        self.opened = asyncio.Event()

    async def prepare(self, _request: Any) -> None:
        self.opened.set()

    async def send_frame(self, message: bytes, opcode: WSMsgType) -> None:
        assert opcode is WSMsgType.TEXT
        await self._send(WSMessage(opcode, message.decode(), None))


class Line:
    """A connection with its two ends; for a gateway also its transport."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, chaos: Chaos, heartbeat: float | None = None
    ) -> None:
        """`heartbeat`: the client's, in seconds."""
        self._loop, self._chaos, self._heartbeat = loop, chaos, heartbeat
        self._up, self._down = Pipe(loop, chaos), Pipe(loop, chaos)
        self.client = ClientEnd(self._down, self._up)
        self.server = ServerEnd(self._up, self._down)

    @property
    def open(self) -> bool:
        """Whether it still matters what becomes of it."""
        return not (self._up.broken or (self.client.closed and self.server.closed))

    def abort(self) -> None:
        """Break it so that both ends notice."""
        self.lose(client_after=0.0, server_after=0.0)

    def lose(self, *, client_after: float | None, server_after: float | None) -> None:
        """Break it; each end notices after so many seconds, or never."""
        if self._up.broken:
            return
        self._up.cut()
        self._down.cut()
        gone = WSMessage(WSMsgType.CLOSED, None, None)
        for after, reader in ((client_after, self._down), (server_after, self._up)):
            if after is not None:
                self._loop.call_later(after, reader.put, gone, context=WORLD)

    def lose_somehow(self) -> None:
        """Break it; who notices when is drawn."""
        self.lose(
            client_after=self._notice(self._heartbeat),
            server_after=self._notice(HEARTBEAT_SECONDS),
        )

    def _notice(self, heartbeat: float | None) -> float | None:
        draw = self._chaos.draw
        if draw.random() < 0.7:
            return draw.uniform(0, 0.2)
        return None if heartbeat is None else heartbeat * draw.uniform(*UNANSWERED)
