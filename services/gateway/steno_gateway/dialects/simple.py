"""The simple live sockets: one for audio, one for the state of the server."""

import asyncio
from typing import Final

from aiohttp import web

from steno_common import tracing
from steno_gateway.access import CALLER, Pass
from steno_gateway.api import create_session
from steno_gateway.audience import until_one_ends
from steno_gateway.connection import Known, serve_session
from steno_gateway.domain.client import request_of_query
from steno_gateway.domain.origins import check_origin
from steno_gateway.line import Inbox, PacedLine
from steno_gateway.listen import MAX_LISTENER_BYTES, drain
from steno_gateway.services import SERVICES, Services, dialect_of, serve_socket
from steno_gateway.socket import Handling, Peer

RAW: Final = "audio/pcm"
"""What comes if the address does not say: s16le, 16 kHz, mono."""


async def live(request: web.Request) -> web.StreamResponse:
    """`GET /ws`."""

    async def serve(services: Services, peer: Peer) -> None:
        caller = request[CALLER]
        with services.admission.socket(caller.address), services.sockets.holding(peer):
            services.admission.may_begin(caller.key)
            services.memory.admit()
            asked = request_of_query(RAW, request.query.items())
            with tracing.opening("create session", request.headers):
                session = await create_session(services, asked)
            inbox = Inbox(services.memory.inflow, services.settings.max_queued_bytes)
            line = PacedLine(peer, peer.dialect, inbox)
            way_back = Pass(services.access, caller, session.session_id)
            try:
                async with asyncio.TaskGroup() as tasks:
                    beside = [
                        tasks.create_task(line.read(), name="receive ahead"),
                        tasks.create_task(peer.keep_alive(), name="heartbeat"),
                    ]
                    await serve_session(services, line, way_back, Known(0))
                    for task in beside:
                        task.cancel()
            finally:
                inbox.discard()

    return await serve_socket(request, serve, dialect=dialect_of(request),
                              handling=Handling(read_in_turns=True))  # fmt: skip


async def state(request: web.Request) -> web.StreamResponse:
    """`GET /st`."""
    access = request.app[SERVICES].access
    check_origin(request.headers.get("Origin"), request.host, access.origins)

    async def serve(services: Services, peer: Peer) -> None:
        address = services.access.address(request)
        services.admission.handshake(address)
        with services.admission.socket(address), services.sockets.holding(peer):
            await until_one_ends(
                tell=_tell_state(services, peer),
                receive=drain(peer, services.settings.max_messages_per_second),
                dismissed=peer.dismissed.wait(),
            )

    return await serve_socket(
        request, serve, dialect=dialect_of(request), handling=Handling(MAX_LISTENER_BYTES)
    )


async def _tell_state(services: Services, peer: Peer) -> None:
    async for seen in services.status.changes():
        await peer.send({"type": "server:state", "state": seen.fields()})
