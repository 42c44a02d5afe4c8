"""Listeners of a session: WebSocket and Server-Sent Events, each with resume by number."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Coroutine, Iterator
from contextlib import aclosing, contextmanager
from typing import Any, Final

import msgspec
from aiohttp import WSMsgType, web

from steno_common.errors import StenoError
from steno_common.messages import Completed
from steno_common.store.sessions import Snapshot
from steno_gateway import metrics
from steno_gateway.access import CALLER, Pass
from steno_gateway.api import event_number
from steno_gateway.domain.access import EVENT_STREAM, SESSION
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.intake import Bucket
from steno_gateway.domain.sse import EVENT_NAMES, last_number, sse_block
from steno_gateway.domain.states import resume_point
from steno_gateway.services import SERVICES, Services, serve_socket, session_id_of
from steno_gateway.socket import Handling, Peer
from steno_gateway.subscription import Subscription, Told

KEEPALIVE_SECONDS: Final = 15.0
RETURN_SECONDS: Final = 10.0
"""How long a stream that breaks waits for its session to be restored: browsers come back once."""
RETURN_LOOK_SECONDS: Final = 0.5
MAX_LISTENER_BYTES: Final = 4 << 10
"""Longest frame of a listener, from whom nothing is expected."""
SSE_HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}


async def _found(services: Services, session_id: str, seconds: float = 0.0) -> Snapshot:
    """Read a session; one that may be about to be restored is waited for."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + seconds
    while (snapshot := await services.store.snapshot(session_id)) is None:
        if clock() >= deadline:
            raise ClientError("session_not_found", "no such session")
        await asyncio.sleep(RETURN_LOOK_SECONDS)
    return snapshot


def _greeting(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "type": "server:session_created",
        "session_id": snapshot.session.session_id,
        "status": snapshot.status,
        "epoch": snapshot.epoch,
        "last_event": snapshot.event,
    }


async def _told(services: Services, session_id: str, after: int) -> AsyncGenerator[Told]:
    """Give what a listener reads, ending with the session."""
    subscription = Subscription(session_id, after, services.store)
    services.feed.subscribe(subscription)
    try:
        async for told in subscription.told():
            if told.message is not None:
                yield told
            if told.ends:
                return
    finally:
        services.feed.unsubscribe(subscription)


@contextmanager
def _counted(transport: str) -> Iterator[None]:
    with metrics.LISTENERS.labels(transport).track_inprogress():
        yield


async def listen_socket(request: web.Request) -> web.StreamResponse:
    """`GET /api/streaming/sessions/{session_id}/listen`."""

    async def serve(services: Services, peer: Peer) -> None:
        caller = request[CALLER]
        with services.admission.socket(caller.address), services.sockets.holding(peer):
            session_id = session_id_of(request)
            way_back = Pass(services.access, caller, session_id)
            snapshot = await _found(services, session_id)
            asked = event_number(request.query.get("last_event"))
            if request.query.get("epoch", snapshot.epoch) != snapshot.epoch:
                asked = 0  # it was told other numbers
            after = resume_point(asked, snapshot.event, snapshot.status)
            await peer.send(_greeting(snapshot) | way_back.fields())
            with _counted("websocket"):
                await until_one_ends(
                    deliver=_deliver(services, peer, session_id, after),
                    receive=drain(peer, services.settings.max_messages_per_second),
                    renew=way_back.renew(peer),
                    dismissed=peer.dismissed.wait(),
                )

    return await serve_socket(request, serve, handling=Handling(MAX_LISTENER_BYTES))


async def until_one_ends(**parts: Coroutine[Any, Any, Any]) -> None:
    """Run the parts of a listener until one has ended; raises what it raised."""
    tasks = [asyncio.create_task(part, name=f"listener {name}") for name, part in parts.items()]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error


async def _deliver(services: Services, peer: Peer, session_id: str, after: int) -> None:
    async with aclosing(_told(services, session_id, after)) as all_told:
        async for told in all_told:
            await peer.send_encoded(told.encoded)


async def drain(peer: Peer, rate: float) -> None:
    """Pass over what a listener says, from whom nothing is expected."""
    chatter, clock = Bucket(rate, 4 * rate), asyncio.get_running_loop().time
    while (await peer.ws.receive()).type in (WSMsgType.TEXT, WSMsgType.BINARY):
        if chatter.take(clock()):
            raise ClientError("too_many_messages", "a listener has nothing to say")


async def listen_events(request: web.Request) -> web.StreamResponse:
    """`GET /api/streaming/sessions/{session_id}/events`."""
    services = request.app[SERVICES]
    session_id = session_id_of(request)
    with services.admission.socket(request[CALLER].address):
        asked = request.headers.get("Last-Event-ID") or request.query.get("last_event_id", "")
        snapshot = await _found(services, session_id, RETURN_SECONDS if asked else 0.0)
        after = last_number(asked, snapshot.epoch)
        if after is not None and after >= snapshot.event and await _ended(services, snapshot):
            return web.Response(status=204)  # tells a browser not to come back
        response = web.StreamResponse(headers=SSE_HEADERS)
        # What fails from here on ends the stream: the browser comes back with the last id.
        with _counted("sse"), contextlib.suppress(ConnectionError, StenoError, TimeoutError):
            await response.prepare(request)
            await _greet(services, response, snapshot, after)
            await until_one_ends(
                deliver=_stream(services, response, snapshot, after or 0),
                keep_alive=_keep_alive(response),
                draining=services.life.draining.wait(),
            )
    return response


async def _ended(services: Services, snapshot: Snapshot) -> bool:
    """Say whether the last event of a session is there, whatever its state."""
    last = await services.store.events(snapshot.session.session_id, snapshot.event - 1)
    return bool(last) and isinstance(last[-1].event, Completed)


async def _greet(
    services: Services, response: web.StreamResponse, snapshot: Snapshot, after: int | None
) -> None:
    blocks = b"retry: 2000\n\n"
    if after is None:
        session_id, epoch = snapshot.session.session_id, snapshot.epoch
        reset = {"session_id": session_id, "epoch": epoch, "first_event": 1}
        blocks += sse_block("stream.reset", msgspec.json.encode(reset))
    elif after == 0:
        blocks += sse_block("session.started", msgspec.json.encode(_greeting(snapshot)))
    async with asyncio.timeout(services.settings.send_seconds):
        await response.write(blocks)


async def _stream(
    services: Services, response: web.StreamResponse, snapshot: Snapshot, after: int
) -> None:
    session_id, epoch = snapshot.session.session_id, snapshot.epoch
    async with aclosing(_told(services, session_id, after)) as all_told:
        async for told in all_told:
            assert told.message is not None
            event_id = None if told.number is None else f"{epoch}-{told.number}"
            block = sse_block(EVENT_NAMES[told.message["type"]], told.encoded, event_id)
            async with asyncio.timeout(services.settings.send_seconds):
                await response.write(block)


async def _keep_alive(response: web.StreamResponse) -> None:
    while True:
        await asyncio.sleep(KEEPALIVE_SECONDS)
        # One newline: a blank line would make some readers see an empty event.
        await response.write(b": ka\n")


def add_listen_routes(app: web.Application) -> None:
    """Serve listeners from an application."""
    app.router.add_get(SESSION + "/listen", listen_socket)
    app.router.add_get(EVENT_STREAM, listen_events)
