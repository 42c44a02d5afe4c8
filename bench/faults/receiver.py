"""A server that sessions are delivered to: it fails, and at times takes what it does not say."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from bench.faults.book import Book
from bench.faults.history import Taken

FAILS: Final = 3
"""Every so many requests it says that it cannot."""
SILENT: Final = 7
"""Every so many it takes, and hangs up instead of saying so."""


@dataclass(slots=True)
class Receiver:
    """Notes what it takes, by its id."""

    book: Book
    url: str = ""
    requests: int = 0

    def settings(self) -> dict[str, str]:
        """Give the settings of an installation that delivers here, and does not give up."""
        return {
            "STENO_WEBHOOK_URL": self.url,
            "STENO_WEBHOOK_RETRIES": ",".join(["0.2", "0.5", *["1"] * 200]),
            "STENO_DELIVERY_SECONDS": "5",
            "STENO_DELIVERY_ALLOW": "127.0.0.0/8",
        }

    async def take(self, request: web.Request) -> web.Response:
        """Take one delivery, or refuse it."""
        self.requests += 1
        await request.read()
        if self.requests % FAILS == 0:
            return web.Response(status=503)
        self.book.put(Taken(request.headers["webhook-id"], self.book.now))
        if self.requests % SILENT == 0 and request.transport is not None:
            request.transport.abort()
        return web.Response(status=204)


@asynccontextmanager
async def open_receiver(book: Book) -> AsyncIterator[Receiver]:
    """Serve on a free port."""
    receiver, app = Receiver(book), web.Application()
    app.router.add_post("/", receiver.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        yield receiver
    finally:
        await runner.cleanup()
