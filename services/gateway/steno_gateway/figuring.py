"""Metrics of one session: what this gateway adds to them, how they are gathered."""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import Final, NoReturn

from aiohttp import web

from steno_common.errors import StoreError
from steno_common.measured import decode_measured
from steno_common.public import Json
from steno_common.store.sessions import Snapshot
from steno_common.store.workers import WorkerStore
from steno_gateway.domain.errors import ClientError, Complaints
from steno_gateway.domain.figures import (
    Counts,
    Figures,
    decode_figures,
    encode_figures,
    metrics_fields,
)
from steno_gateway.domain.latency import LatencyMeter
from steno_gateway.line import Line
from steno_gateway.services import SERVICES, Services, found, session_id_of

SAID_SECONDS: Final = 1.0
"""From one word of a connection's figures to the next, which goes with what is sent anyway."""

MOST_SECONDS: Final = 60
"""Longest pause between two messages that a client may ask for."""


@dataclass(slots=True)
class Figuring:
    """What one connection says of itself."""

    services: Services
    complaints: Complaints
    latency: LatencyMeter
    _said: float = field(default=float("-inf"))

    def news(self) -> bytes:
        """Give the figures, encoded, once a second; between that nothing."""
        now = time.monotonic()
        if now - self._said < SAID_SECONDS:
            return b""
        self._said = now
        usage, latency = self.services.process.look(), self.latency.last_ms
        return encode_figures(
            Figures(
                at_ms=time.time_ns() // 1_000_000,
                latency_ms=None if latency is None else round(latency),
                refused_chunks=self.complaints.refused_chunks,
                errors=self.complaints.errors,
                cpu_percent=usage.cpu_percent,
                memory_bytes=usage.memory_bytes,
            )
        )


async def gather(services: Services, snapshot: Snapshot) -> Json:
    """Give the metrics of a session; raises StoreUnavailableError."""
    measured = decode_measured(snapshot.measured)
    workers = WorkerStore(services.store.link, services.limits)
    report = await workers.report(measured.worker) if measured.worker else None
    counts = Counts(
        session_id=snapshot.session.session_id,
        chunks=snapshot.chunks,
        done=snapshot.done,
        heard=snapshot.transcribed + snapshot.silence,
        connections=snapshot.connections,
        final_latency_ms=snapshot.final_latency_ms if snapshot.finals else None,
    )
    return metrics_fields(counts, measured, decode_figures(snapshot.figures), report)


async def tell_metrics(services: Services, line: Line, session_id: str, seconds: int) -> NoReturn:
    """Tell a client the metrics of its session every so many seconds."""
    while True:
        await asyncio.sleep(seconds)
        with contextlib.suppress(StoreError):  # the next time, then
            snapshot = await services.store.snapshot(session_id)
            if snapshot is not None:
                found = await gather(services, snapshot)
                await line.send({"type": "server:metrics", **found})


def wanted_seconds(text: str | None) -> int | None:
    """Read how often a client wants them; raises ClientError `invalid_message`."""
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:4]) <= MOST_SECONDS):
        raise ClientError("invalid_message", f"metrics come every 1 to {MOST_SECONDS} seconds")
    return int(text)


async def get_metrics(request: web.Request) -> web.Response:
    """`GET /api/streaming/sessions/{session_id}/metrics`."""
    services = request.app[SERVICES]
    snapshot = await found(services, await session_id_of(request))
    return web.json_response(await gather(services, snapshot))
