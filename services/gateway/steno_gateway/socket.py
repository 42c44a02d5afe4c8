"""A WebSocket that speaks our messages, and gives up on a peer that does not read."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from steno_common.errors import StoreError
from steno_gateway import metrics
from steno_gateway.domain.credentials import SUBPROTOCOL, offered_subprotocols
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.intake import MAX_CHUNK_BYTES

log = logging.getLogger(__name__)

MAX_FRAME_BYTES = -(-MAX_CHUNK_BYTES // 3) * 4 + (4 << 10)
"""The largest chunk in base64, with what stands around it: so much of one frame may be kept."""

HEARTBEAT_SECONDS = 20.0


def new_socket(request: web.Request, max_bytes: int = MAX_FRAME_BYTES) -> web.WebSocketResponse:
    """Give a socket with our bounds; compression is off, since it lets small frames grow.

    Of the subprotocols that a client offers only the marker is ever answered: others are secrets.
    """
    offered = offered_subprotocols(request.headers.get("Sec-WebSocket-Protocol", ""))
    return web.WebSocketResponse(
        max_msg_size=max_bytes, compress=False, heartbeat=HEARTBEAT_SECONDS, timeout=5.0,
        protocols=(SUBPROTOCOL,) if SUBPROTOCOL in offered else (),
    )  # fmt: skip


@dataclass(eq=False, slots=True)
class Peer:
    """The sending side of one socket."""

    ws: web.WebSocketResponse
    transport: asyncio.Transport | None
    send_seconds: float
    dismissed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when this gateway wants the peer to go elsewhere."""
    errors: int = 0
    """Told so far."""
    refused_chunks: int = 0
    """The same of chunks that were to be sent again."""

    async def send(self, message: dict[str, Any]) -> None:
        """Send one message; raises ClientError `slow_reader`.

        A peer that is gone is told nothing: the side that receives notices, and what the peer
        sent before is not lost to a failure of the side that sends.
        """
        await self.send_encoded(msgspec.json.encode(message))

    async def send_encoded(self, message: bytes) -> None:
        """Send a message that is JSON already, as `send` does."""
        try:
            async with asyncio.timeout(self.send_seconds):
                await self.ws.send_frame(message, WSMsgType.TEXT)
        except ConnectionError:
            log.debug("client went away")
        except TimeoutError as error:
            if self.transport is not None:
                self.transport.abort()
            raise ClientError("slow_reader", "the client does not read") from error

    async def refuse(self, error: ClientError) -> None:
        """Tell an error, and close if it is one that ends the connection."""
        metrics.ERRORS.labels(error.code).inc()
        self.errors += 1
        self.refused_chunks += "resend_from" in error.details
        if error.code == "slow_reader" or self.ws.closed:
            return
        await self.send(error.as_message())
        if error.fault.close is not None:
            await self.close(error.fault.close, error.code)

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
        try:
            yield
        except* ClientError as group:
            for error in _leaves(group):
                # Of several reasons the first is told: the others follow from it.
                await self._tell_end(error)
        except* StoreError:
            await self._tell_end(ClientError("store_unavailable", "the store does not answer"))
        except* ConnectionError:
            log.debug("client went away")
        except* Exception:
            log.exception("a socket was closed by a fault")
            await self._tell_end(ClientError("internal", "a fault of this server"))
        if self.dismissed.is_set():
            await self.close(WSCloseCode.SERVICE_RESTART, "restart")
        await self.close()

    async def _tell_end(self, error: ClientError) -> None:
        with contextlib.suppress(ClientError):
            await self.refuse(error)


def _leaves(group: BaseExceptionGroup[ClientError]) -> Iterator[ClientError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
