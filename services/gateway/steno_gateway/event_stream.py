"""Listeners of a session by Server-Sent Events, with resume by number."""

import asyncio
import contextlib
from contextlib import aclosing
from typing import Final

import msgspec
from aiohttp import web

from steno_common.errors import StenoError
from steno_common.store.base import Numbered
from steno_common.store.sessions import Snapshot
from steno_gateway.access import CALLER
from steno_gateway.audience import Wanted, counted, found, greeting, told_to, until_one_ends, wanted
from steno_gateway.domain.access import EVENT_STREAM
from steno_gateway.domain.ending import nothing_left
from steno_gateway.domain.sse import EVENT_NAMES, last_number, sse_block
from steno_gateway.services import SERVICES, Services, session_id_of

KEEPALIVE_SECONDS: Final = 15.0
RETURN_SECONDS: Final = 10.0
"""How long a stream that breaks waits for its session to be restored: browsers come back once."""
SSE_HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}


async def listen_events(request: web.Request) -> web.StreamResponse:
    """`GET /api/streaming/sessions/{session_id}/events`."""
    services = request.app[SERVICES]
    session_id, asked = await session_id_of(request), wanted(request)
    with services.admission.socket(request[CALLER].address):
        last_id = request.headers.get("Last-Event-ID") or request.query.get("last_event_id", "")
        snapshot = await found(services, session_id, RETURN_SECONDS if last_id else 0.0)
        after = last_number(last_id, snapshot.epoch)
        if after is not None and await _heard_all(services, snapshot, after, asked):
            return web.Response(status=204)  # tells a browser not to come back
        if after is not None:
            after = min(after, snapshot.event)  # a log that lost its end has other news by now
        response = web.StreamResponse(headers=SSE_HEADERS)
        # What fails from here on ends the stream: the browser comes back with the last id.
        with counted("sse"), contextlib.suppress(ConnectionError, StenoError, TimeoutError):
            await response.prepare(request)
            await _greet(services, response, snapshot, after, asked)
            await until_one_ends(
                deliver=_stream(services, response, snapshot, after or 0, asked),
                keep_alive=_keep_alive(response),
                draining=services.life.draining.wait(),
            )
    return response


async def _heard_all(services: Services, snapshot: Snapshot, after: int, asked: Wanted) -> bool:
    """Say whether a reader has heard the end, and nothing that it wants has come since."""
    if not 0 < snapshot.finished <= after:
        return False
    following: list[Numbered] = []
    cursor = after
    while page := await services.store.events(snapshot.session.session_id, cursor):
        following += page
        cursor = page[-1].number
    return nothing_left(asked.choice, after, snapshot.finished, following)


async def _greet(
    services: Services, response: web.StreamResponse, snapshot: Snapshot, after: int | None,
    asked: Wanted,
) -> None:  # fmt: skip
    blocks = b"retry: 2000\n\n"
    if after is None:
        session_id, epoch = snapshot.session.session_id, snapshot.epoch
        goes_on = {"snapshot": True} if asked.summary else {"first_event": 1}
        reset = {"session_id": session_id, "epoch": epoch, **goes_on}
        blocks += sse_block("stream.reset", msgspec.json.encode(reset))
    elif after == 0:
        blocks += sse_block("session.started", msgspec.json.encode(greeting(snapshot)))
    async with asyncio.timeout(services.settings.send_seconds):
        await response.write(blocks)


async def _stream(
    services: Services, response: web.StreamResponse, snapshot: Snapshot, after: int,
    asked: Wanted,
) -> None:  # fmt: skip
    async with aclosing(told_to(services, snapshot, after, asked)) as all_told:
        async for told in all_told:
            assert told.message is not None
            event_id = None if told.number is None else f"{snapshot.epoch}-{told.number}"
            block = sse_block(EVENT_NAMES[told.message["type"]], told.encoded, event_id)
            async with asyncio.timeout(services.settings.send_seconds):
                await response.write(block)


async def _keep_alive(response: web.StreamResponse) -> None:
    while True:
        await asyncio.sleep(KEEPALIVE_SECONDS)
        # One newline: a blank line would make some readers see an empty event.
        await response.write(b": ka\n")


def add_event_routes(app: web.Application) -> None:
    """Serve listeners by Server-Sent Events from an application."""
    app.router.add_get(EVENT_STREAM, listen_events)
