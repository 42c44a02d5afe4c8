"""Listeners of a session by WebSocket, with resume by number."""

import asyncio
from contextlib import aclosing
from typing import Final

from aiohttp import WSMsgType, web

from steno_common.store.sessions import Snapshot
from steno_gateway.access import CALLER, Pass
from steno_gateway.api import event_number
from steno_gateway.audience import Wanted, counted, greeting, told_to, until_one_ends, wanted
from steno_gateway.domain.access import SESSION
from steno_gateway.domain.ending import resume_point
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.intake import Bucket
from steno_gateway.services import Services, found, serve_socket, session_id_of
from steno_gateway.socket import Handling, Peer

MAX_LISTENER_BYTES: Final = 4 << 10
"""Longest frame of a listener, from whom nothing is expected."""


async def listen_socket(request: web.Request) -> web.StreamResponse:
    """`GET /api/streaming/sessions/{session_id}/listen`."""

    async def serve(services: Services, peer: Peer) -> None:
        caller = request[CALLER]
        with services.admission.socket(caller.address), services.sockets.holding(peer):
            session_id, asked = await session_id_of(request), wanted(request)
            way_back = Pass(services.access, caller, session_id)
            snapshot = await found(services, session_id)
            last = event_number(request.query.get("last_event"))
            if request.query.get("epoch", snapshot.epoch) != snapshot.epoch:
                last = 0  # it was told other numbers
            after = resume_point(last, snapshot.event, snapshot.finished)
            await peer.send(greeting(snapshot) | way_back.fields())
            with counted("websocket"):
                await until_one_ends(
                    deliver=_deliver(services, peer, snapshot, after, asked),
                    receive=drain(peer, services.settings.max_messages_per_second),
                    renew=way_back.renew(peer),
                    dismissed=peer.dismissed.wait(),
                )

    return await serve_socket(request, serve, handling=Handling(MAX_LISTENER_BYTES))


async def _deliver(
    services: Services, peer: Peer, snapshot: Snapshot, after: int, asked: Wanted
) -> None:
    async with aclosing(told_to(services, snapshot, after, asked)) as all_told:
        async for told in all_told:
            await peer.send_encoded(told.encoded)


async def drain(peer: Peer, rate: float) -> None:
    """Pass over what a listener says, from whom nothing is expected."""
    chatter, clock = Bucket(rate, 4 * rate), asyncio.get_running_loop().time
    while (await peer.ws.receive()).type in (WSMsgType.TEXT, WSMsgType.BINARY):
        if chatter.take(clock()):
            raise ClientError("too_many_messages", "a listener has nothing to say")


def add_listen_routes(app: web.Application) -> None:
    """Serve listeners by WebSocket from an application."""
    app.router.add_get(SESSION + "/listen", listen_socket)
