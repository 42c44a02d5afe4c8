"""Translations that come back, for whoever listens in their language."""

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from aiohttp import web

from steno_common.messages import Translation
from steno_common.store.sessions import Outcome
from steno_common.store.translations import TranslationStore
from steno_gateway import metrics
from steno_gateway.api import small_body
from steno_gateway.domain.access import SESSION
from steno_gateway.domain.client import TranslationRequest, parse_translation
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.languages import canonical
from steno_gateway.memory import RETRY_MS
from steno_gateway.services import SERVICES, Services, session_id_of

REFUSALS: Final[Mapping[Outcome, tuple[str, str]]] = MappingProxyType(
    {
        Outcome.MISSING: ("session_not_found", "no such session"),
        Outcome.UNKNOWN: ("event_not_found", "the session has no final of this number"),
        Outcome.FULL: ("too_many_translations", "the session has no room for more translations"),
    }
)


async def post_translation(request: web.Request) -> web.Response:
    """`POST /api/streaming/sessions/{session_id}/translations`.

    201 for a new one, 200 where the final has one in this language: it stays as it is.
    """
    services, session_id = request.app[SERVICES], await session_id_of(request)
    services.admission.translation(session_id)
    asked = parse_translation(await small_body(request))
    if services.memory.inflow.stopped:
        raise ClientError("overloaded", "there is no memory for a translation",
                          retry_after_ms=RETRY_MS)  # fmt: skip
    now_ms = time.time_ns() // 1_000_000
    event = await _event(services, session_id, asked)
    translation = Translation(canonical(asked.language), asked.text, event, now_ms)
    store = TranslationStore(services.store.link, services.limits)
    stored = await store.translate(session_id, translation, asked.epoch)
    if stored.outcome in REFUSALS:
        raise ClientError(*REFUSALS[stored.outcome])
    is_new = stored.outcome is Outcome.DONE
    metrics.TRANSLATIONS.labels("stored" if is_new else "repeated").inc()
    fields = {"session_id": session_id, "event": stored.number, "of": translation.event,
              "language": translation.language}  # fmt: skip
    return web.json_response(fields, status=201 if is_new else 200)


async def _event(services: Services, session_id: str, asked: TranslationRequest) -> int:
    """Give the number of the final that a translation is of; raises ClientError."""
    if asked.timestamp is None:
        return asked.event
    store = TranslationStore(services.store.link, services.limits)
    number = await store.made_at(session_id, asked.timestamp)
    if not number:
        is_there = await services.store.snapshot(session_id) is not None
        raise ClientError(*REFUSALS[Outcome.UNKNOWN if is_there else Outcome.MISSING])
    return number


def add_translation_routes(app: web.Application) -> None:
    """Take translations in an application."""
    app.router.add_post(SESSION + "/translations", post_translation)
