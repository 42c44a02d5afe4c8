"""A receiver of everything, in a process of its own: it fails as told, and keeps what came when.

Its first line of output is its address, the second, after a line of input, what it has got.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from aiohttp import web


@dataclass(slots=True)
class Received:
    """What came in; moments are milliseconds since 1970."""

    calls: int = 0
    refused: int = 0
    events: list[tuple[str, str, int]] = field(default_factory=list)
    """Of webhooks that were taken: subject, id, order of arrival in the session's own numbers."""
    pipeline: list[tuple[bool, float]] = field(default_factory=list)
    """Of payloads: whether partial, milliseconds since the result was made."""


class Receiver:
    """Takes webhooks, of which every n-th call fails, and payloads of the pipeline."""

    def __init__(self, failing: int) -> None:
        self._failing = failing
        self.received = Received()

    async def webhook(self, request: web.Request) -> web.Response:
        """Take an event, or fail."""
        self.received.calls += 1
        body: dict[str, Any] = await request.json()
        if self._failing and self.received.calls % self._failing == 0:
            self.received.refused += 1
            return web.Response(status=503)
        self.received.events.append((body["source"], body["id"], int(body["sequence"])))
        return web.Response(status=204)

    async def pipeline(self, request: web.Request) -> web.Response:
        """Take a payload."""
        body: dict[str, Any] = await request.json()
        late = time.time() * 1000 - body["timestamp"]
        self.received.pipeline.append((body["isPartial"], late))
        return web.Response(status=202)


async def serve(failing: int) -> None:
    """Serve until a line comes in, then say what was received."""
    receiver = Receiver(failing)
    app = web.Application()
    app.router.add_post("/webhook", receiver.webhook)
    app.router.add_post("/pipeline", receiver.pipeline)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await runner.cleanup()
    print(json.dumps(asdict(receiver.received)), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
