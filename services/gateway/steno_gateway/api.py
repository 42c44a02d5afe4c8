"""Sessions and saved transcripts over HTTP."""

import asyncio
import time
import uuid
from typing import Final

from aiohttp import web

from steno_audio import AudioError, AudioFormat
from steno_common import tracing
from steno_common.archive import FORMATS
from steno_common.measured import decode_measured
from steno_common.messages import Final as FinalEvent
from steno_common.messages import Session
from steno_common.public import Json
from steno_common.saved import Saved
from steno_common.store.sessions import Snapshot
from steno_common.utterances import join_text
from steno_gateway.access import CALLER, Pass
from steno_gateway.connection import Known, serve_session
from steno_gateway.domain.access import SESSION, SESSIONS
from steno_gateway.domain.checkpoint import sealed_state
from steno_gateway.domain.choice import chosen_languages
from steno_gateway.domain.client import SessionRequest, parse_request, parse_token_request
from steno_gateway.domain.destinations import named
from steno_gateway.domain.engines import policy_of
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.figures import emotion_fields
from steno_gateway.domain.server import session_fields, transcript_links
from steno_gateway.figuring import get_metrics, wanted_seconds
from steno_gateway.restoring import post_restore
from steno_gateway.services import SERVICES, Services, found, serve_socket, session_id_of
from steno_gateway.socket import Peer

MAX_REQUEST_BYTES: Final = 256 << 10
"""Room for the longest request that keeps to the limits, with every character escaped."""

BODY_SECONDS: Final = 10.0
"""For a body of that size to arrive."""

CONTENT_TYPES: Final = {
    "json": "application/json",
    "txt": "text/plain",
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
}


def event_number(text: str | None) -> int:
    """Read the number of an event; raises ClientError `invalid_message`."""
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise ClientError("invalid_message", "the number of an event is a whole number")
    return int(text)


async def create_session(services: Services, asked: SessionRequest, name: str = "") -> Session:
    """Make a session as asked for, under a name if it has one; raises ClientError."""
    try:
        AudioFormat.parse(asked.mime_type, sample_rate=asked.sample_rate, channels=asked.channels)
    except AudioError as error:
        raise ClientError(error.code, str(error)) from error
    settings = services.settings
    engines = policy_of(asked.engines, settings.engines, settings.engines_on_request)
    session = Session(
        session_id=str(uuid.uuid4()),
        created_ms=time.time_ns() // 1_000_000,
        mime_type=asked.mime_type,
        sample_rate=asked.sample_rate,
        channels=asked.channels,
        language=asked.language,
        duration_limit=asked.duration_limit,
        user_id=asked.user_id,
        metadata=asked.metadata,
        task=asked.task,
        prompt=asked.prompt,
        hotwords=tuple(word.strip() for word in asked.hotwords),
        destinations=(
            *services.installed.destinations,
            *named(asked.destinations, services.installed.allowed),
        ),
        trace=tracing.traceparent(),
        engines=engines,
        name=name,
    )
    tracing.note(session=session.session_id)
    await services.store.create(session, epoch=uuid.uuid4().hex[:12])
    return session


async def described(services: Services, snapshot: Snapshot) -> Json:
    """Give a session with the text of its finals."""
    session_id = snapshot.session.session_id
    texts, after = [], 0
    while events := await services.store.events(session_id, after):
        texts += [e.event.text for e in events if isinstance(e.event, FinalEvent)]
        after = events[-1].number
    fields = session_fields(
        snapshot.session, snapshot.status, seen_ms=snapshot.seen_ms, chunks=snapshot.chunks,
        confirmed_text=join_text(texts), engine=snapshot.engine,
    )  # fmt: skip
    now_ms, ttl = time.time_ns() // 1_000_000, services.settings.emotion_cache_ttl_seconds
    return fields | emotion_fields(decode_measured(snapshot.measured), now_ms, ttl)


async def post_session(request: web.Request) -> web.Response:
    """`POST /api/streaming/sessions`."""
    services, caller = request.app[SERVICES], request[CALLER]
    services.admission.may_begin(caller.key)
    services.memory.admit()
    asked = parse_request(await small_body(request))
    with tracing.opening("create session", request.headers):
        session = await create_session(services, asked)
    fields = session_fields(session, "connecting", seen_ms=session.created_ms, chunks=0,
                            confirmed_text="")  # fmt: skip
    fields |= services.access.token_fields(caller, session.session_id, "speak")
    if asked.checkpoints:
        fields["checkpoint"] = sealed_state(services.access.seal(caller), Saved(session))
    return web.json_response(fields, status=201)


async def small_body(request: web.Request) -> bytes:
    """Read a small body; raises ClientError for one that is too long or too slow."""
    if (request.content_length or 0) > MAX_REQUEST_BYTES:
        raise ClientError("invalid_message", "the body is too large")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except TimeoutError as error:
        raise ClientError("request_timeout", "the body did not arrive in time") from error


async def post_token(request: web.Request) -> web.Response:
    """`POST /api/streaming/sessions/{session_id}/tokens`."""
    services = request.app[SERVICES]
    session_id = await session_id_of(request)
    asked = parse_token_request(await small_body(request))
    await found(services, session_id)
    fields = services.access.token_fields(request[CALLER], session_id, asked.right)
    return web.json_response({"session_id": session_id, "right": asked.right, **fields}, status=201)


async def get_session(request: web.Request) -> web.Response:
    """`GET /api/streaming/sessions/{session_id}`."""
    services = request.app[SERVICES]
    snapshot = await found(services, await session_id_of(request))
    return web.json_response(await described(services, snapshot))


async def delete_session(request: web.Request) -> web.Response:
    """`DELETE /api/streaming/sessions/{session_id}`."""
    services = request.app[SERVICES]
    if not await services.store.remove(await session_id_of(request)):
        raise ClientError("session_not_found", "no such session")
    return web.Response(status=204)


async def session_socket(request: web.Request) -> web.StreamResponse:
    """`GET /api/streaming/sessions/{session_id}/ws`."""

    async def serve(services: Services, peer: Peer) -> None:
        caller = request[CALLER]
        with services.admission.socket(caller.address), services.sockets.holding(peer):
            way_back = Pass(services.access, caller, await session_id_of(request))
            kept = request.query.get("checkpoint")
            known = Known(event_number(request.query.get("last_event")),
                          None if kept is None else event_number(kept),
                          chosen_languages(request.query.getall("language", ())),
                          wanted_seconds(request.query.get("metrics")))  # fmt: skip
            await serve_session(services, peer, way_back, known)

    return await serve_socket(request, serve)


async def list_transcripts(request: web.Request) -> web.Response:
    """`GET /api/transcripts`."""
    limit = event_number(request.query.get("limit", "50"))
    before = request.query.get("before")
    archive = request.app[SERVICES].archive
    entries = await asyncio.to_thread(archive.entries, min(max(limit, 1), 200), before)
    transcripts = [
        {**entry, "downloads": transcript_links(entry["session_id"], FORMATS)} for entry in entries
    ]
    return web.json_response({"transcripts": transcripts})


async def get_transcript(request: web.Request) -> web.Response:
    """`GET /api/transcripts/{name}`: an id, alone or with the ending of a format."""
    session_id, _, ending = request.match_info["name"].partition(".")
    name = ending or "json"
    body = None
    if name in CONTENT_TYPES:
        body = await asyncio.to_thread(request.app[SERVICES].archive.read, session_id, name)
    if body is None:
        raise ClientError("transcript_not_found", "no such transcript")
    return web.Response(body=body, content_type=CONTENT_TYPES[name], charset="utf-8")


async def delete_transcript(request: web.Request) -> web.Response:
    """`DELETE /api/transcripts/{name}`."""
    archive = request.app[SERVICES].archive
    if not await asyncio.to_thread(archive.delete, request.match_info["name"]):
        raise ClientError("transcript_not_found", "no such transcript")
    return web.Response(status=204)


def add_api_routes(app: web.Application) -> None:
    """Serve sessions and transcripts from an application."""
    app.router.add_post(SESSIONS, post_session)
    app.router.add_get(SESSION, get_session)
    app.router.add_delete(SESSION, delete_session)
    app.router.add_post(SESSION + "/tokens", post_token)
    app.router.add_post(SESSION + "/restore", post_restore)
    app.router.add_get(SESSION + "/metrics", get_metrics)
    app.router.add_get(SESSION + "/ws", session_socket)
    app.router.add_get("/api/transcripts", list_transcripts)
    app.router.add_get("/api/transcripts/{name}", get_transcript)
    app.router.add_delete("/api/transcripts/{name}", delete_transcript)
