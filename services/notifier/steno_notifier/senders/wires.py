"""Kept WebSockets to receivers."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from steno_common.messages import Destination
from steno_notifier.senders.line import Line, LineLostError, Message
from steno_notifier.senders.web import Web

IDLE_SECONDS: Final = 120.0
"""A connection over which nothing was said for so long is closed."""
CLOSING_SECONDS: Final = 1.0
MESSAGE_BYTES: Final = 1_048_576
"""Of a receiver, which has nothing to say but ids: anything else is read and forgotten."""
WIRES: Final = 200


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

    async def deliver(self, message: Message) -> None:
        """Send a message; one that is given up takes its connection along if that is stuck."""
        self.users += 1
        if self._idle is not None:
            self._idle.cancel()
        try:
            line = await self._open()
            read = line.read
            try:
                await line.deliver(message)
            except asyncio.CancelledError:
                # Who has read meanwhile is only slow to answer: what it says late still counts for
                # the next try, if that is on the same connection.
                if not message.answer or line.read == read:
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

    async def deliver(self, destination: Destination, message: Message) -> None:
        """Send a message; raises what `tried` turns into verdicts."""
        key = (self.web.session(destination), destination.url)
        if key not in self._wires:
            if not self.web.is_own(destination):
                await self._make_room()
            self._wires.setdefault(key, Wire(*key))
        self._wires.move_to_end(key)
        await self._wires[key].deliver(message)

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
