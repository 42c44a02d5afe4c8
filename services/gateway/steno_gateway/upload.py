"""Block mode: a whole recording by one request, through the same pipeline."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import BodyPartReader, web
from aiohttp.http import HttpProcessingError

from steno_audio import AudioFormat, decoder_for
from steno_common import tracing
from steno_common.errors import StoreError
from steno_common.store.sessions import Attached
from steno_common.units import to_samples, to_seconds
from steno_gateway.access import CALLER
from steno_gateway.api import create_session
from steno_gateway.domain.client import request_of_query
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.items import Accepted, Mark, Move
from steno_gateway.feed import Subscription
from steno_gateway.ingest import MAX_CHUNK_SECONDS, Ingest
from steno_gateway.memory import RETRY_MS
from steno_gateway.services import SERVICES, Services

PIECE_BYTES: Final = 16 << 10
QUEUED_PIECES: Final = 64
ANY_TYPE: Final = "application/octet-stream"
"""The first bytes of the body tell what it is."""
MALFORMED: Final = (ValueError, RuntimeError, HttpProcessingError)
"""What aiohttp's reader of forms raises: for borders, for a `_charset_`, for headers."""


async def _pieces(request: web.Request) -> AsyncIterator[bytes]:
    if request.content_type != "multipart/form-data":
        async for piece in request.content.iter_chunked(PIECE_BYTES):
            yield piece
        return
    try:
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name == "file":
                while piece := await part.read_chunk(PIECE_BYTES):
                    yield piece
                return
    except MALFORMED as error:
        raise ClientError("invalid_request", "the body is not multipart/form-data") from error


async def _paced(pieces: AsyncIterator[bytes], seconds: float) -> AsyncIterator[bytes]:
    """Give the pieces of a body; raises ClientError if one takes longer than this to fill."""
    waited, size, clock = 0.0, 0, asyncio.get_running_loop().time
    while True:
        began = clock()
        try:
            async with asyncio.timeout(seconds - waited):
                piece = await anext(pieces, b"")
        except TimeoutError as error:
            raise ClientError("request_timeout", "the body comes too slowly") from error
        if not piece:
            return
        waited, size = waited + clock() - began, size + len(piece)
        if size >= PIECE_BYTES:
            waited, size = 0.0, 0
        yield piece


async def _feed_in(request: web.Request, ingest: Ingest) -> None:
    settings = request.app[SERVICES].settings
    limit, size, sequence = settings.max_upload_bytes, 0, 0
    exhausted = request.app[SERVICES].memory.exhausted
    async for piece in _paced(_pieces(request), settings.socket_idle_seconds):
        if exhausted.is_set():
            raise ClientError("overloaded", "this server has no memory left; send it again",
                              retry_after_ms=RETRY_MS)  # fmt: skip
        size += len(piece)
        if size > limit:
            raise ClientError("chunk_too_large", f"an upload has at most {limit} bytes")
        sequence += 1
        if sequence == 1:
            ingest.put(Move("recording", ("connected",)))
        ingest.put(Accepted(sequence, piece, time.monotonic()))
        # The body is read as fast as its audio is taken: that is all the flow control there is.
        while sequence - ingest.stored > (0 if ingest.inflow.stopped else QUEUED_PIECES):
            ingest.progress.clear()
            await ingest.progress.wait()
    if sequence == 0:
        raise ClientError("empty_chunk", "the body holds no audio")
    ingest.put(Mark("end"))


async def _follow(subscription: Subscription, ingest: Ingest) -> None:
    while True:
        await subscription.changed.wait()
        subscription.changed.clear()
        if subscription.state is not None:
            ingest.relieve(subscription.state.backlog)


async def _transcribed(request: web.Request, services: Services, attached: Attached) -> None:
    session = attached.session
    audio_format = AudioFormat.parse(
        session.mime_type, sample_rate=session.sample_rate, channels=session.channels
    )
    ingest = Ingest(
        store=services.store, session_id=session.session_id, conn=attached.conn,
        decoder=decoder_for(audio_format, max_chunk_seconds=MAX_CHUNK_SECONDS),
        stored=0, received=0, duration_limit=to_samples(session.duration_limit),
        inflow=services.memory.inflow,
    )  # fmt: skip
    subscription = Subscription(session.session_id, 0, services.store, attached.conn)
    services.feed.subscribe(subscription)
    try:
        async with asyncio.TaskGroup() as tasks:
            follow = tasks.create_task(_follow(subscription, ingest), name="upload follow")
            tasks.create_task(ingest.run(), name="upload ingest")
            tasks.create_task(_feed_in(request, ingest), name="upload body")
            async for _ in subscription.told():
                pass
            follow.cancel()
    finally:
        services.feed.unsubscribe(subscription)
        tracing.note(chunks=ingest.stored, audio_seconds=to_seconds(ingest.received))


@asynccontextmanager
async def _removed_unless_done(services: Services, session_id: str) -> AsyncIterator[None]:
    """Leave nothing of an upload that failed: the client sends it again, as a new session.

    Raises what failed first, outside the groups it comes in.
    """
    try:
        yield
    except BaseException as fault:
        with contextlib.suppress(StoreError):
            await services.store.remove(session_id)
        while isinstance(fault, BaseExceptionGroup):
            fault = fault.exceptions[0]
        raise fault from None


async def post_transcription(request: web.Request) -> web.Response:
    """`POST /api/transcriptions`: audio in, the transcript as JSON out."""
    services = request.app[SERVICES]
    told = request.headers.get("Content-Type", ANY_TYPE)
    if request.content_type == "multipart/form-data":
        told = ANY_TYPE
    with services.admission.upload(request[CALLER]), tracing.opening("upload", request.headers):
        services.memory.admit()
        asked = request_of_query(told, request.query.items())
        session = await create_session(services, asked)
        async with _removed_unless_done(services, session.session_id):
            attached = await services.store.attach(session.session_id)
            if attached is None:
                raise ClientError("session_not_found", "the session was removed")
            await _transcribed(request, services, attached)
    body = await asyncio.to_thread(services.archive.read, session.session_id, "json")
    if body is None:
        raise ClientError("transcript_not_found", "the transcript is not where it was saved")
    return web.Response(body=body, content_type="application/json", charset="utf-8")
