"""Listeners of a session by Server-Sent Events, with resume by number."""

import asyncio
import contextlib
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import msgspec
from aiohttp import web

from steno_common.errors import StenoError
from steno_common.public import Json
from steno_common.store.base import Numbered
from steno_common.store.sessions import Snapshot
from steno_gateway.access import CALLER, Pass
from steno_gateway.audience import Wanted, counted, greeting, told_to, until_one_ends, wanted
from steno_gateway.domain.access import EVENT_STREAM
from steno_gateway.domain.ending import nothing_left
from steno_gateway.domain.sse import EVENT_NAMES, last_number, sse_block
from steno_gateway.services import SERVICES, Services, found, session_id_of

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
    services, caller = request.app[SERVICES], request[CALLER]
    session_id, asked = await session_id_of(request), wanted(request)
    way_back = Pass(services.access, caller, session_id)
    with services.admission.socket(caller.address):
        last_id = request.headers.get("Last-Event-ID") or request.query.get("last_event_id", "")
        snapshot = await found(services, session_id, RETURN_SECONDS if last_id else 0.0)
        after = last_number(last_id, snapshot.epoch)
        if after is not None and await _heard_all(services, snapshot, after, asked):
            return web.Response(status=204)  # tells a browser not to come back
        if after is not None:
            after = min(after, snapshot.event)  # a log that lost its end has other news by now
        response = web.StreamResponse(headers=SSE_HEADERS)
        stream = _Stream(services, response, snapshot, asked)
        # What fails from here on ends the stream: the browser comes back with the last id.
        with counted("sse"), contextlib.suppress(ConnectionError, StenoError, TimeoutError):
            await response.prepare(request)
            await stream.greet(after)
            if fields := way_back.fields():
                await stream.send({"type": "server:token", **fields})
            await until_one_ends(
                deliver=stream.deliver(after or 0),
                keep_alive=stream.keep_alive(),
                renew=way_back.renew(stream),
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


@dataclass(frozen=True, slots=True)
class _Stream:
    """One listener's open answer."""

    services: Services
    response: web.StreamResponse
    snapshot: Snapshot
    asked: Wanted

    async def greet(self, after: int | None) -> None:
        """Begin, behind an event; None: anew, since the reader knows another epoch."""
        blocks = b"retry: 2000\n\n"
        if after is None:
            session_id, epoch = self.snapshot.session.session_id, self.snapshot.epoch
            goes_on = {"snapshot": True} if self.asked.summary else {"first_event": 1}
            reset = {"session_id": session_id, "epoch": epoch, **goes_on}
            blocks += sse_block("stream.reset", msgspec.json.encode(reset))
        elif after == 0:
            blocks += sse_block("session.started", msgspec.json.encode(greeting(self.snapshot)))
        await self._write(blocks)

    async def deliver(self, after: int) -> None:
        """Tell what follows an event, until the session is over for this listener."""
        async with aclosing(told_to(self.services, self.snapshot, after, self.asked)) as all_told:
            async for told in all_told:
                event_id = None if told.number is None else f"{self.snapshot.epoch}-{told.number}"
                await self._write(sse_block(EVENT_NAMES[told.type], told.encoded, event_id))

    async def send(self, message: Json) -> None:
        """Tell something that is no event of the session."""
        await self._write(sse_block(EVENT_NAMES[message["type"]], msgspec.json.encode(message)))

    async def keep_alive(self) -> None:
        """Say nothing, now and then."""
        while True:
            await asyncio.sleep(KEEPALIVE_SECONDS)
            # One newline: a blank line would make some readers see an empty event.
            await self.response.write(b": ka\n")

    async def _write(self, blocks: bytes) -> None:
        async with asyncio.timeout(self.services.settings.send_seconds):
            await self.response.write(blocks)


def add_event_routes(app: web.Application) -> None:
    """Serve listeners by Server-Sent Events from an application."""
    app.router.add_get(EVENT_STREAM, listen_events)
