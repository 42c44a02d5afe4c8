"""Sessions that Redis has lost: what a client must keep of them, how it brings them back."""

import asyncio
import logging
import time
import uuid
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from steno_audio import AudioError, AudioFormat, RawDecoder
from steno_common.logs import about
from steno_common.messages import Event
from steno_common.saved import Saved
from steno_common.store.link import patiently
from steno_common.store.saves import SaveStore
from steno_common.store.sessions import Outcome
from steno_gateway import metrics
from steno_gateway.access import CALLER
from steno_gateway.domain.checkpoint import MAX_RESTORE_BYTES, checkpoint_message, read_restore
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.seals import Seal
from steno_gateway.line import Line
from steno_gateway.services import SERVICES, session_id_of
from steno_gateway.telling import Teller

log = logging.getLogger(__name__)

CHECKPOINT_SECONDS: Final = 1.0
BODY_SECONDS: Final = 30.0


@dataclass(slots=True)
class Keeper:
    """Gives a client what it must keep, whenever more of its audio is done."""

    line: Line
    store: SaveStore
    teller: Teller
    seal: Seal
    have: int
    """Number of the last event that the client keeps."""

    async def run(self) -> None:
        """Work until cancelled; what ends the connection is for others to tell."""
        given = -1
        while True:
            if self.teller.done > given:
                given = await self._give(self.teller.done)
            await asyncio.sleep(CHECKPOINT_SECONDS)

    async def _give(self, done: int) -> int:
        subscription = self.teller.subscription
        session_id, conn = subscription.session_id, subscription.conn
        save = await patiently(lambda: self.store.save(session_id, conn, self.have))
        if save.saved is None:
            return done
        await self.line.send(checkpoint_message(self.seal, save.saved, save.payloads))
        self.have = save.saved.event
        return save.saved.done


async def post_restore(request: web.Request) -> web.Response:
    """`POST /api/streaming/sessions/{session_id}/restore`."""
    services, caller = request.app[SERVICES], request[CALLER]
    session_id, seal = await session_id_of(request), services.access.seal(caller)
    with services.admission.upload(caller):
        body = await _body(request)
        # A long log is no work for the event loop.
        now_ms = time.time_ns() // 1_000_000
        saved, events = await asyncio.to_thread(_read, session_id, body, seal, now_ms)
        store = SaveStore(services.store.link, services.limits)
        outcome = await store.restore(saved, events, uuid.uuid4().hex[:12])
    if outcome is Outcome.MISSING:
        raise ClientError("session_not_found", "the session was removed")
    if outcome is Outcome.DONE:
        metrics.RESTORED.inc()
        log.warning("session restored", extra=about(session_id, chunks=saved.done))
    tokens = services.access.token_fields(caller, session_id, "speak")
    fields = {"session_id": session_id, "restored": outcome is Outcome.DONE, **tokens}
    return web.json_response(fields)


def _read(session_id: str, body: bytes, seal: Seal, now_ms: int) -> tuple[Saved, list[Event]]:
    """Read a request; the decoder's state is one that a decoder of the format can have had."""
    saved, events = read_restore(session_id, body, seal, now_ms)
    session = saved.session
    try:
        audio_format = AudioFormat.parse(
            session.mime_type, sample_rate=session.sample_rate, channels=session.channels
        )
        if audio_format.is_container:
            fits = saved.carried == b""
        else:
            fits = RawDecoder(audio_format, saved.carried).produced == saved.offset
    except (AudioError, ValueError) as error:
        raise ClientError("invalid_checkpoint", "the checkpoint's audio") from error
    if not fits:
        raise ClientError("invalid_checkpoint", "the checkpoint's decoder stands elsewhere")
    return saved, events


async def _body(request: web.Request) -> bytes:
    """Read a request's body; raises ClientError for one that is too long or too slow."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.content.iter_any():
                body += piece
                if len(body) > MAX_RESTORE_BYTES:
                    raise ClientError("invalid_checkpoint", "the body is too large")
    except TimeoutError as error:
        raise ClientError("request_timeout", "the body did not arrive in time") from error
    return bytes(body)
