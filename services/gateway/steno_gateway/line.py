"""A session's way to its client and back, whatever the client speaks."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from steno_common.public import Json
from steno_gateway.domain.client import Audio
from steno_gateway.domain.dialects.base import Dialect, Heard, Manners
from steno_gateway.domain.errors import ClientError, Complaints
from steno_gateway.inflow import Inflow
from steno_gateway.socket import Peer, is_frame

FRAME_BYTES: Final = 256
"""What a frame costs beside what it holds."""
LINGER_SECONDS: Final = 60.0
"""What a client has left here is given up when nothing of it can be stored for so long."""
SMALL_BYTES: Final = 1_600
"""Audio worth waiting for more: 50 ms of it, raw."""
GATHER_SECONDS: Final = 0.05
GATHERED_BYTES: Final = 64 << 10


class Line(Protocol):
    """What a session needs of whoever speaks for its client."""

    @property
    def dismissed(self) -> asyncio.Event:
        """Set when this gateway wants the client to go elsewhere."""

    @property
    def manners(self) -> Manners:
        """How the client is to be treated."""

    @property
    def complaints(self) -> Complaints:
        """What the client was told of errors."""

    async def receive(self) -> Heard | None:
        """Hear the next frame; None once the client has left. Raises ClientError."""

    async def emptied(self) -> None:
        """Wait until all that was read of the socket was received."""

    async def send(self, message: Json) -> bool:
        """Tell a message of the native protocol; raises ClientError `slow_reader`.

        Says whether the client's socket took it.
        """

    async def refuse(self, error: ClientError) -> None:
        """Tell an error."""


@dataclass(eq=False, slots=True)
class Inbox:
    """Frames that were read and are not yet received; whoever reads sees to their bound."""

    inflow: Inflow
    max_bytes: int
    size: int = 0
    """Bytes that wait."""
    closed: bool = False
    """Nothing more comes."""
    _heard: deque[tuple[Heard, int]] = field(default_factory=deque)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def full(self) -> bool:
        """Whether no more should come."""
        return self.size >= self.max_bytes

    @property
    def audio_bytes(self) -> int:
        """Bytes that wait, without what frames cost."""
        return self.size - FRAME_BYTES * len(self._heard)

    def put(self, heard: Heard, size: int) -> None:
        """Put a frame behind the others; what comes to a closed inbox is dropped."""
        if not self.closed:
            self._hold(size + FRAME_BYTES)
            self._heard.append((heard, size + FRAME_BYTES))

    def take(self) -> Heard | None:
        """Take a frame, if there is one."""
        if not self._heard:
            return None
        heard, size = self._heard.popleft()
        self._hold(-size)
        return heard

    def take_audio(self) -> bytes:
        """Take the audio that is next; nothing if something else is, or nothing."""
        if not self._heard or self._heard[0][0].error is not None:
            return b""
        messages = self._heard[0][0].messages
        if not messages or not all(isinstance(each, Audio) for each in messages):
            return b""
        self.take()
        return b"".join(each.data for each in messages if isinstance(each, Audio))

    def close(self) -> None:
        """Take nothing more."""
        self.closed = True
        self._changed.set()

    def discard(self) -> None:
        """Close, and forget what is there."""
        self._hold(-self.size)
        self._heard.clear()
        self.close()

    async def until(self, holds: Callable[["Inbox"], bool]) -> None:
        """Wait until something holds of it."""
        while not holds(self):
            self._changed.clear()
            await self._changed.wait()

    def _hold(self, size: int) -> None:
        self.size += size
        self.inflow.waiting_bytes += size
        self._changed.set()


@dataclass(eq=False, slots=True)
class QueuedLine:
    """The line of one session over a socket that is read apart from it."""

    peer: Peer
    dialect: Dialect
    inbox: Inbox
    complaints: Complaints = field(default_factory=Complaints, kw_only=True)

    @property
    def dismissed(self) -> asyncio.Event:
        """Set when this gateway wants the client to go elsewhere."""
        return self.peer.dismissed

    @property
    def manners(self) -> Manners:
        """How the client is to be treated."""
        return self.dialect.manners

    async def receive(self) -> Heard | None:
        """Receive the next frame; None behind the last one."""
        await self.inbox.until(lambda inbox: inbox.size > 0 or inbox.closed)
        return self.inbox.take()

    async def emptied(self) -> None:
        """Wait until all that was read was received."""
        self.inbox.close()
        await self.inbox.until(lambda inbox: inbox.size == 0)

    async def send(self, message: Json) -> bool:
        """Tell a message in the words of the dialect, as `Peer.say` does."""
        return await self.peer.say(self.dialect, message)

    async def refuse(self, error: ClientError) -> None:
        """Tell an error; the socket is for others to close."""
        self.complaints.note(error)
        await self.peer.complain(self.dialect, error)


@dataclass(eq=False, slots=True)
class PacedLine(QueuedLine):
    """A socket that is read no faster than its one session takes what comes.

    Reading ahead of the session, within a bound, has pings answered while audio waits. Behind the
    bound the network holds the client up, so nothing has to be refused.
    """

    async def receive(self) -> Heard | None:
        """Receive the next frame; what comes in crumbs is gathered, for chunks are counted."""
        heard = await QueuedLine.receive(self)
        if heard is None or not _is_crumb(heard):
            return heard
        if not self.inbox.closed:
            await asyncio.sleep(GATHER_SECONDS)
        pieces = [each.data for each in heard.messages if isinstance(each, Audio)]
        size = sum(map(len, pieces))
        while size < GATHERED_BYTES and (piece := self.inbox.take_audio()):
            pieces.append(piece)
            size += len(piece)
        return Heard(heard.at, (Audio(b"".join(pieces)),))

    async def read(self) -> None:
        """Read the socket until the client leaves; raises ClientError if nothing can be stored."""
        try:
            while True:
                await self.inbox.until(lambda inbox: not inbox.full or inbox.closed)
                frame = await self.peer.ws.receive()
                if not is_frame(frame):
                    break
                self.inbox.put(_heard(self.dialect, frame.data), len(frame.data))
            self.inbox.close()
            while before := self.inbox.size:
                await asyncio.sleep(LINGER_SECONDS)
                if self.inbox.size == before:
                    raise ClientError("backlog_full", "what the client has left cannot be stored")
        finally:
            self.inbox.close()


def _is_crumb(heard: Heard) -> bool:
    sizes = [len(each.data) for each in heard.messages if isinstance(each, Audio)]
    return len(sizes) == len(heard.messages) > 0 and sum(sizes) < SMALL_BYTES


def _heard(dialect: Dialect, frame: str | bytes) -> Heard:
    try:
        return Heard(time.monotonic(), dialect.read(frame))
    except ClientError as error:
        return Heard(time.monotonic(), (), error)
