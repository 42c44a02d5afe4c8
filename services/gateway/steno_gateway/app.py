"""The gateway, wired."""

import asyncio
import logging
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from aiohttp import BadContentDispositionHeader, BadContentDispositionParam, web

from steno_common.archive import Archive
from steno_common.destinations import Installed
from steno_common.errors import StoreError
from steno_common.health import add_health_routes, listening
from steno_common.lifecycle import Lifecycle
from steno_common.settings import load
from steno_common.store.limits import Limits
from steno_common.store.link import open_link
from steno_common.store.sessions import SessionStore
from steno_common.store.workers import WorkerStore
from steno_gateway import metrics
from steno_gateway.access import announce, open_access, reread_keys
from steno_gateway.admission import Admission
from steno_gateway.api import add_api_routes
from steno_gateway.console import add_console_routes, page, prefers_html
from steno_gateway.dialects import add_dialect_routes
from steno_gateway.domain.errors import ClientError
from steno_gateway.event_stream import add_event_routes
from steno_gateway.feed import Feed
from steno_gateway.guard import Handler, add_cors_headers, guard
from steno_gateway.letters import add_letter_routes
from steno_gateway.listen import add_listen_routes
from steno_gateway.machine import Machine
from steno_gateway.memory import watch_of
from steno_gateway.naming import add_naming_routes
from steno_gateway.observing import count_requests
from steno_gateway.services import SERVICES, Services
from steno_gateway.settings import GatewaySettings
from steno_gateway.status import StatusBoard
from steno_gateway.tls import reload_certificate, tls_context
from steno_gateway.translating import add_translation_routes
from steno_gateway.upload import post_transcription
from steno_gateway.watching import watch

log = logging.getLogger(__name__)

WAITING_THREADS: Final = 64
"""Threads that wait for decoders: with few of them, few slow recordings would hold up all."""


def _refusal(error: ClientError) -> web.Response:
    metrics.ERRORS.labels(error.code).inc()
    headers = {}
    if error.fault.http in (429, 503):
        headers["Retry-After"] = str(max(1, error.details.get("retry_after_ms", 1000) // 1000))
    if error.fault.http == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="steno"'
    return web.json_response(error.as_message(), status=error.fault.http, headers=headers)


def _as_told(error: ClientError | StoreError | web.RequestPayloadError) -> ClientError:
    match error:
        case ClientError():
            return error
        case StoreError():
            return ClientError("store_unavailable", "the store does not answer")
        case _:
            return ClientError("invalid_request", "the body is not packed as it says")


@web.middleware
async def _typed_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except (ClientError, StoreError, web.RequestPayloadError) as error:
        return _refusal(_as_told(error))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        refusal = ClientError("invalid_request", error.reason)
        return web.json_response(refusal.as_message(), status=error.status)
    except ConnectionError:
        return web.Response(status=400)  # the client is gone: nobody reads this
    except Exception:
        log.exception("a request failed by a fault")
        return _refusal(ClientError("internal", "a fault of this server"))


async def _status(request: web.Request) -> web.Response:
    state = await request.app[SERVICES].status.now()
    return web.json_response(state.fields())


async def _root(request: web.Request) -> web.StreamResponse:
    wanted = prefers_html(request.headers.get("Accept", ""))
    response = page() if wanted else await _status(request)
    response.headers["Vary"] = "Accept"
    return response


def build(services: Services) -> web.Application:
    """Give the application with all its routes."""
    app = web.Application(
        middlewares=[count_requests, _typed_errors, guard], client_max_size=1 << 20
    )
    app[SERVICES] = services
    app.on_response_prepare.append(add_cors_headers)
    add_health_routes(app, services.life)
    add_api_routes(app)
    add_listen_routes(app)
    add_letter_routes(app)
    add_event_routes(app)
    add_translation_routes(app)
    add_naming_routes(app)
    add_dialect_routes(app)
    app.router.add_post("/api/transcriptions", post_transcription)
    add_console_routes(app)
    app.router.add_get("/", _root)
    app.router.add_get("/status", _status)
    return app


def hush_quotations() -> None:
    """Keep out of the log what aiohttp would quote there of clients."""
    # Of the subprotocols that they offer, which hold keys.
    logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)
    # Of their forms: any stranger could fill the log, and not with lines of ours.
    for kind in (BadContentDispositionHeader, BadContentDispositionParam):
        warnings.simplefilter("ignore", kind)


async def serve(life: Lifecycle) -> None:
    """Serve until the process drains."""
    settings, limits, installed = load(GatewaySettings), load(Limits), load(Installed)
    access, tls = open_access(settings), tls_context(settings)
    hush_quotations()
    threads = ThreadPoolExecutor(WAITING_THREADS, "steno-gateway")
    asyncio.get_running_loop().set_default_executor(threads)
    async with (
        open_link(limits.redis_url, replicas=limits.replicas) as link,
        asyncio.TaskGroup() as tasks,
    ):
        life.checks["redis"] = link.ping
        store = SessionStore(link, limits)
        feed = Feed(store)
        admission = Admission(settings, time.monotonic)
        services = Services(
            settings, limits, store, feed, Archive(settings.output), admission, life, access,
            installed, memory=watch_of(settings),
            status=StatusBoard(life, admission, WorkerStore(link, limits)),
        )  # fmt: skip
        watching = services.memory.run(link.memory, Machine().memory)
        running = [
            tasks.create_task(feed.run(), name="feed"),
            tasks.create_task(watching, name="watch memory"),
        ]
        if settings.api_keys_file:
            work = watch([settings.api_keys_file], lambda: reread_keys(settings, access))
            running.append(tasks.create_task(work, name="watch keys"))
        if tls is not None:
            files = [settings.tls_cert, settings.tls_key]
            work = watch(files, lambda: reload_certificate(settings, tls))
            running.append(tasks.create_task(work, name="watch certificate"))
        announce(access)
        metrics.SESSIONS_LIMIT.set(settings.max_sessions)
        async with listening(build(services), settings.host, settings.port, tls=tls):
            log.info("listening", extra={"address": settings.host, "port": settings.port})
            await life.draining.wait()
            await services.sockets.dismiss(settings.goaway_seconds)
        for task in running:
            task.cancel()
