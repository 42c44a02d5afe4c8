"""One open WebSocket to a receiver, on which a message counts once it was taken."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

import aiohttp

from steno_notifier.domain.receipts import Receipts


class LineLostError(ConnectionError):
    """The connection ended before the receiver had taken what was sent."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent to a receiver."""

    text: str
    answer: str = ""
    """What the receiver says once it has kept the message; empty: it is taken once it is read."""


@dataclass(eq=False)
class Line:
    """One open connection."""

    socket: aiohttp.ClientWebSocketResponse
    lost: bool = False
    _receipts: Receipts = field(default_factory=Receipts)
    _waiting: dict[int, asyncio.Future[bool]] = field(default_factory=dict)
    """By the number of a message: whether it was taken, once that is known."""
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def read(self) -> int:
        """How many messages the receiver is known to have read."""
        return self._receipts.read

    async def deliver(self, message: Message) -> None:
        """Send a message; return when the receiver has taken it."""
        if self.lost:
            raise LineLostError
        number = self._receipts.expect(message.answer)
        taken = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            # It is given to those who wait in their order, which is that of the numbers.
            async with self._writing:
                await self.socket.send_str(message.text)
                await self.socket.ping(number.to_bytes(8))
            if not await taken:
                raise LineLostError
        finally:
            self._receipts.forget(number)
            self._waiting.pop(number, None)

    async def listen(self) -> None:
        """Read what the receiver sends, until the connection ends."""
        try:
            async for message in self.socket:
                match message.type:
                    case aiohttp.WSMsgType.PING:
                        await self.socket.pong(message.data)
                    case aiohttp.WSMsgType.PONG:
                        self._take(self._receipts.pong(int.from_bytes(message.data)))
                    case aiohttp.WSMsgType.TEXT:
                        self._take(self._receipts.said(message.data))
        except (aiohttp.ClientError, OSError):
            pass  # the connection's end, which those who wait learn below
        finally:
            self.lost = True
            self._tell(self._waiting, taken=False)
            await self.socket.close()

    def _take(self, numbers: Iterable[int]) -> None:
        self._tell(numbers, taken=True)

    def _tell(self, numbers: Iterable[int], *, taken: bool) -> None:
        for number in numbers:
            # Who has given up has not come to forget it yet.
            if not (waiting := self._waiting[number]).done():
                waiting.set_result(taken)
