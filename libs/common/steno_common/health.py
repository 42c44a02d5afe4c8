"""Health, readiness and metrics over HTTP, the same for every service."""

import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from steno_common import telemetry
from steno_common.lifecycle import Lifecycle
from steno_common.logs import is_ours

PORT_OFFSETS: Final = {"gateway": 0, "transcriber": 1, "aggregator": 2, "notifier": 3}
"""Each service listens on STENO_PORT plus its own number."""

KEEPALIVE_SECONDS: Final = 10.0
"""aiohttp's runner keeps an idle connection for an hour unless told otherwise."""


def add_health_routes(app: web.Application, life: Lifecycle) -> None:
    """Serve /healthz, /readyz, /metrics from an application."""

    async def healthz(_: web.Request) -> web.Response:
        results = life.living()
        if all(results.values()):
            return web.json_response({"status": "ok"})
        return web.json_response({"status": "stuck", **results}, status=503)

    async def readyz(_: web.Request) -> web.Response:
        results = await life.ready()
        return web.json_response(results, status=200 if all(results.values()) else 503)

    async def metrics(_: web.Request) -> web.Response:
        telemetry.note_readiness(await life.ready())
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)


LONGEST_ADDRESS: Final = 128 << 10
"""Bytes: an upload names its prompt and hotwords in its address."""


@asynccontextmanager
async def listening(
    app: web.Application, host: str, port: int, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[None]:
    """Serve an application on an address; raises OSError if the address is taken."""
    runner = web.AppRunner(app, keepalive_timeout=KEEPALIVE_SECONDS, access_log=None,
                           handle_signals=False, shutdown_timeout=5,
                           max_line_size=LONGEST_ADDRESS)  # fmt: skip
    logging.getLogger("aiohttp.server").addFilter(is_ours)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, ssl_context=tls).start()
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serve_health(life: Lifecycle, host: str, port: int) -> AsyncIterator[None]:
    """Serve only health, for a service without a public address."""
    app = web.Application()
    add_health_routes(app, life)
    async with listening(app, host, port):
        yield
