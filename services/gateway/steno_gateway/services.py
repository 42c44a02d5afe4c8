"""What the handlers of a gateway share, made once at the start."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from steno_common.archive import Archive
from steno_common.destinations import Installed
from steno_common.lifecycle import Lifecycle
from steno_common.process import ProcessMeter
from steno_common.store.limits import Limits
from steno_common.store.names import NameStore
from steno_common.store.sessions import SessionStore, Snapshot
from steno_gateway.access import CALLER, Access
from steno_gateway.admission import Admission
from steno_gateway.domain.dialects.base import Dialect
from steno_gateway.domain.dialects.doors import dialect_at
from steno_gateway.domain.dialects.native import NATIVE
from steno_gateway.domain.dialects.send_audio import SendAudio
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.names import is_name, read_id
from steno_gateway.feed import Feed
from steno_gateway.holders import Holders
from steno_gateway.memory import MemoryWatch
from steno_gateway.settings import GatewaySettings
from steno_gateway.socket import Handling, Peer, new_socket
from steno_gateway.status import StatusBoard


@dataclass(slots=True)
class Sockets:
    """Open sockets, to be told when the gateway goes."""

    _peers: set[Peer] = field(default_factory=set)

    @contextmanager
    def holding(self, peer: Peer) -> Iterator[None]:
        """Know a socket while it is served."""
        self._peers.add(peer)
        try:
            yield
        finally:
            self._peers.discard(peer)

    async def dismiss(self, seconds: float) -> None:
        """Tell all to leave, then dismiss each at its own moment within `seconds`."""

        async def dismiss(peer: Peer, wait: float) -> None:
            with contextlib.suppress(ClientError):
                goaway = {"type": "server:status", "status": "goaway", "in_ms": round(wait * 1000)}
                await peer.send(goaway)
            await asyncio.sleep(wait)
            peer.dismissed.set()

        async with asyncio.TaskGroup() as tasks:
            for peer in list(self._peers):
                # A spread, not a secret: sockets need not all come back at the same moment.
                tasks.create_task(dismiss(peer, random.uniform(0, seconds)), name="dismiss")  # noqa: S311


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a handler needs."""

    settings: GatewaySettings
    limits: Limits
    store: SessionStore
    feed: Feed
    archive: Archive
    admission: Admission
    life: Lifecycle
    access: Access
    installed: Installed = field(default_factory=Installed)
    sockets: Sockets = field(default_factory=Sockets)
    memory: MemoryWatch = field(default_factory=MemoryWatch)
    process: ProcessMeter = field(default_factory=ProcessMeter)
    status: StatusBoard = field(default_factory=StatusBoard)
    holders: Holders = field(default_factory=Holders)


RETURN_LOOK_SECONDS: Final = 0.5
USUAL = Handling()
SERVICES = web.AppKey("services", Services)


async def session_id_of(request: web.Request) -> str:
    """Give the id of the session that a request's path names.

    By that id, or as the caller's API key calls it, where that is no UUID: a UUID is an id. Raises
    ClientError `invalid_session_id`.
    """
    named = request.match_info["session_id"]
    session_id = read_id(named)
    if session_id is None and is_name(named):
        services = request.app[SERVICES]
        names = NameStore(services.store.link, services.limits)
        session_id = await names.find(request[CALLER].key or "", named)
    if session_id is None:
        raise ClientError("invalid_session_id", "neither a UUID nor the name of a session")
    return session_id


async def found(services: Services, session_id: str, seconds: float = 0.0) -> Snapshot:
    """Read a session; one that may be about to be restored is waited for.

    Raises ClientError `session_not_found`.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + seconds
    while (snapshot := await services.store.snapshot(session_id)) is None:
        if clock() >= deadline:
            raise ClientError("session_not_found", "no such session")
        await asyncio.sleep(RETURN_LOOK_SECONDS)
    return snapshot


def dialect_of(request: web.Request) -> Dialect:
    """Give what the client of a request's socket speaks."""
    resource = request.match_info.route.resource
    if resource is None:
        return NATIVE
    settings = request.app[SERVICES].settings
    limits = SendAudio("", settings.max_audio_chunks_per_second, settings.audio_buffer_max_seconds)
    return dialect_at(resource.canonical, request.query, limits)


async def serve_socket(
    request: web.Request,
    serve: Callable[[Services, Peer], Awaitable[None]],
    *,
    dialect: Dialect = NATIVE,
    handling: Handling = USUAL,
) -> web.WebSocketResponse:
    """Open a request's socket and serve it; what ends that is told on the socket.

    Refusals too: a browser shows no body of a refused handshake.
    """
    services = request.app[SERVICES]
    ws = new_socket(request, handling)
    await ws.prepare(request)
    peer = Peer(ws, request.transport, services.settings.send_seconds, dialect=dialect)
    async with peer.served():
        if services.life.draining.is_set():
            peer.dismissed.set()
        else:
            await serve(services, peer)
    return ws
