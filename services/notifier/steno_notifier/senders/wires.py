"""Kept WebSockets to receivers, on which a message counts once the receiver has read it."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from steno_common.messages import Destination
from steno_notifier.senders.web import Web

IDLE_SECONDS: Final = 120.0
"""A connection over which nothing was said for so long is closed."""
CLOSING_SECONDS: Final = 1.0
MESSAGE_BYTES: Final = 1_048_576
"""Of a receiver, which has nothing to say: it is read and forgotten."""
WIRES: Final = 200


class LineLostError(ConnectionError):
    """The connection ended before the receiver had read what was sent."""


@dataclass(eq=False)
class Line:
    """One open connection."""

    socket: aiohttp.ClientWebSocketResponse
    lost: bool = False
    _sent: int = 0
    _unread: dict[int, asyncio.Future[None]] = field(default_factory=dict)
    """By the number of the ping behind a message."""
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def deliver(self, text: str) -> None:
        """Send a message; return when the receiver has read it.

        A ping follows the message, and whoever answers a ping has read all before it: every
        library for WebSockets does so by itself.
        """
        if self.lost:
            raise LineLostError
        async with self._writing:
            await self.socket.send_str(text)
            self._sent = number = self._sent + 1
            read = self._unread[number] = asyncio.get_running_loop().create_future()
            try:
                await self.socket.ping(number.to_bytes(8))
            except BaseException:
                self._unread.pop(number, None)  # nobody waits for it
                raise
        await read

    async def listen(self) -> None:
        """Read what the receiver sends, until the connection ends."""
        try:
            async for message in self.socket:
                if message.type is aiohttp.WSMsgType.PING:
                    await self.socket.pong(message.data)
                elif message.type is aiohttp.WSMsgType.PONG:
                    self._have_read(int.from_bytes(message.data))
        except (aiohttp.ClientError, OSError):
            pass  # the connection's end, which those who wait learn below
        finally:
            self.lost = True
            for read in self._unread.values():
                if not read.done():
                    read.set_exception(LineLostError())
            await self.socket.close()

    def _have_read(self, number: int) -> None:
        """Take an answer to a ping, which may stand for all pings before it."""
        if number in self._unread:
            for earlier in [each for each in self._unread if each <= number]:
                read = self._unread.pop(earlier)
                if not read.done():
                    read.set_result(None)


@dataclass(eq=False)
class Wire:
    """The way to one receiver: a connection that is opened when it is needed."""

    session: aiohttp.ClientSession
    url: str
    users: int = 0
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    _line: Line | None = None
    _listening: asyncio.Task[None] | None = None
    _listeners: set[asyncio.Task[None]] = field(default_factory=set)
    """What listens, and what did until a moment ago."""
    _idle: asyncio.TimerHandle | None = None

    async def deliver(self, text: str) -> None:
        """Send a message; one that is given up takes its connection along, which is stuck."""
        self.users += 1
        if self._idle is not None:
            self._idle.cancel()
        try:
            line = await self._open()
            try:
                await line.deliver(text)
            except asyncio.CancelledError:
                self._drop(line)
                raise
        finally:
            self.users -= 1
            if not self.users:
                self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._hang_up)

    async def _open(self) -> Line:
        async with self._opening:
            if self._line is None or self._line.lost:
                socket = await self.session.ws_connect(
                    self.url, autoping=False, max_msg_size=MESSAGE_BYTES,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSING_SECONDS),
                )  # fmt: skip
                self._line = Line(socket)
                self._listening = asyncio.create_task(self._line.listen(), name="relay receiver")
                self._listeners.add(self._listening)
                self._listening.add_done_callback(self._listeners.discard)
            return self._line

    def _drop(self, line: Line) -> None:
        if line is self._line:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._line is not None and self._listening is not None:
            self._line.lost = True
            self._listening.cancel()

    async def aclose(self) -> None:
        """Close the connection."""
        if self._idle is not None:
            self._idle.cancel()
        self._hang_up()
        if self._listeners:
            await asyncio.wait(set(self._listeners))


@dataclass(eq=False)
class Wires:
    """The ways to all receivers: to those that sessions name a bounded number."""

    web: Web
    most: int = WIRES
    _wires: OrderedDict[tuple[aiohttp.ClientSession, str], Wire] = field(
        default_factory=OrderedDict
    )

    async def deliver(self, destination: Destination, text: str) -> None:
        """Send a message; raises what `tried` turns into verdicts."""
        key = (self.web.session(destination), destination.url)
        if key not in self._wires:
            if not self.web.is_own(destination):
                await self._make_room()
            self._wires.setdefault(key, Wire(*key))
        self._wires.move_to_end(key)
        await self._wires[key].deliver(text)

    async def _make_room(self) -> None:
        if len(self._wires) < self.most:
            return
        free = next((key for key, wire in self._wires.items() if not wire.users), None)
        if free is None:
            raise LineLostError
        await self._wires.pop(free).aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        while self._wires:
            await self._wires.popitem()[1].aclose()
