"""A WebSocket that speaks in a dialect, and gives up on a peer that does not read."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec
from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from steno_common.errors import StoreError
from steno_common.public import Json
from steno_gateway import metrics
from steno_gateway.domain.credentials import SUBPROTOCOL, offered_subprotocols
from steno_gateway.domain.dialects.base import Dialect, Heard, Manners
from steno_gateway.domain.dialects.native import NATIVE
from steno_gateway.domain.errors import ClientError, Complaints
from steno_gateway.domain.intake import MAX_CHUNK_BYTES

log = logging.getLogger(__name__)

MAX_FRAME_BYTES = -(-MAX_CHUNK_BYTES // 3) * 4 + (4 << 10)
"""The largest chunk in base64, with what stands around it: so much of one frame may be kept."""

HEARTBEAT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Handling:
    """How a socket is treated below its dialect."""

    max_bytes: int = MAX_FRAME_BYTES
    """Of one frame."""
    read_in_turns: bool = False
    """Reading may pause, so a missing pong does not say that the client is gone: `keep_alive`."""
    close_late: bool = False
    """A client's close is answered when what it sent before is dealt with."""


def new_socket(request: web.Request, handling: Handling) -> web.WebSocketResponse:
    """Give a socket with our bounds; compression is off, since it lets small frames grow.

    Of the subprotocols that a client offers only the marker is ever answered: others are secrets.
    """
    offered = offered_subprotocols(request.headers.get("Sec-WebSocket-Protocol", ""))
    return web.WebSocketResponse(
        max_msg_size=handling.max_bytes, compress=False, timeout=5.0,
        heartbeat=None if handling.read_in_turns else HEARTBEAT_SECONDS,
        autoclose=not handling.close_late,
        protocols=(SUBPROTOCOL,) if SUBPROTOCOL in offered else (),
    )  # fmt: skip


def is_frame(message: WSMessage) -> bool:
    """Say whether a client has said something; else it has left."""
    return message.type in (WSMsgType.TEXT, WSMsgType.BINARY)


@dataclass(eq=False, slots=True)
class Peer:
    """One socket, in the words of its dialect."""

    ws: web.WebSocketResponse
    transport: asyncio.Transport | None
    send_seconds: float
    dismissed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when this gateway wants the peer to go elsewhere."""
    dialect: Dialect = NATIVE
    complaints: Complaints = field(default_factory=Complaints)
    """What it was told."""

    @property
    def manners(self) -> Manners:
        """How the client is to be treated."""
        return self.dialect.manners

    async def receive(self) -> Heard | None:
        """Hear the next frame; None once the client has left. Raises ClientError."""
        message = await self.ws.receive()
        if not is_frame(message):
            return None
        return Heard(time.monotonic(), self.dialect.read(message.data))

    async def emptied(self) -> None:
        """Nothing is read ahead of what is received."""

    async def send(self, message: Json) -> bool:
        """Send one message of the native protocol, in the peer's words, as `say` does."""
        return await self.say(self.dialect, message)

    async def say(self, dialect: Dialect, message: Json) -> bool:
        """Send a message in the words of a dialect; raises ClientError `slow_reader`.

        A peer that is gone, or has said that it closes, is told nothing: the side that receives
        notices, and what the peer sent before is not lost to a failure of the side that sends.
        Says whether there were words, and the socket took them all.
        """
        words = dialect.word(message, time.time())
        taken = [await self.send_encoded(msgspec.json.encode(worded)) for worded in words]
        return bool(taken) and all(taken)

    async def send_encoded(self, message: bytes) -> bool:
        """Send what is JSON already, as `say` does."""
        if self.ws.close_code is not None:
            return False  # whoever closes reads no more, though the close is answered late
        try:
            async with asyncio.timeout(self.send_seconds):
                await self.ws.send_frame(message, WSMsgType.TEXT)
        except ConnectionError:
            log.debug("client went away")
        except TimeoutError as error:
            if self.transport is not None:
                self.transport.abort()
            raise ClientError("slow_reader", "the client does not read") from error
        else:
            return True
        return False

    async def refuse(self, error: ClientError) -> None:
        """Tell an error, and close if it is one that ends the connection."""
        self.complaints.note(error)
        await self.complain(self.dialect, error)
        if error.code != "slow_reader" and error.fault.close is not None:
            await self.close(error.fault.close, error.code)

    async def _end_with(self, error: ClientError) -> None:
        """Tell the error that ends the connection, and close so that a client can tell it by that.

        Codes that close nothing elsewhere do so here: of an address that cannot be read, say.
        """
        await self.refuse(error)
        if error.code != "slow_reader":
            again, never = WSCloseCode.TRY_AGAIN_LATER, WSCloseCode.POLICY_VIOLATION
            await self.close(again if error.retryable else never, error.code)

    async def complain(self, dialect: Dialect, error: ClientError) -> None:
        """Tell an error in the words of a dialect."""
        metrics.ERRORS.labels(error.code).inc()
        if error.code != "slow_reader" and not self.ws.closed:
            await self.say(dialect, error.as_message())

    async def keep_alive(self) -> None:
        """Ping now and then, until cancelled, so that no one between takes the socket for dead."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            with contextlib.suppress(ConnectionError):
                await self.ws.ping()

    async def close(self, code: int = WSCloseCode.OK, reason: str = "") -> None:
        """Close in order, within bounds; only while nothing else receives from the socket."""
        if self.ws.closed:
            return
        try:
            async with asyncio.timeout(self.send_seconds):
                await self.ws.close(code=code, message=reason.encode()[:120])
        except TimeoutError:
            if self.transport is not None:
                self.transport.abort()

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """Serve the peer, then close; whatever ends that is told, and goes no further."""
        async with telling(self._end_with):
            yield
        if self.dismissed.is_set():
            await self.close(WSCloseCode.SERVICE_RESTART, "restart")
        await self.close()


@asynccontextmanager
async def telling(refuse: Callable[[ClientError], Awaitable[None]]) -> AsyncIterator[None]:
    """Have whatever ends the work within told by `refuse`; it goes no further."""
    try:
        yield
    except* ClientError as group:
        # Of several reasons the first is told: the others follow from it.
        await _tell(refuse, next(_leaves(group)))
    except* StoreError:
        await _tell(refuse, ClientError("store_unavailable", "the store does not answer"))
    except* ConnectionError:
        log.debug("client went away")
    except* Exception:
        log.exception("a socket was closed by a fault")
        await _tell(refuse, ClientError("internal", "a fault of this server"))


async def _tell(refuse: Callable[[ClientError], Awaitable[None]], error: ClientError) -> None:
    with contextlib.suppress(ClientError):
        await refuse(error)


def _leaves(group: BaseExceptionGroup[ClientError]) -> Iterator[ClientError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
