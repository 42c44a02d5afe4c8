"""Receivers of deliveries, that answer as a test says, with the senders that deliver to them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractResolver

from steno_common.destinations import DestinationSettings
from steno_notifier.domain.outgoing import Sender
from steno_notifier.senders import open_senders

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Got:
    """A request as it was received."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """An HTTP receiver: what it got, and how it answers."""

    port: int = 0
    got: list[Got] = field(default_factory=list)
    connections: int = 0
    answer: Answer | None = None
    """Without one: 204."""

    def url(self, path: str = "/in", scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    async def take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.got.append(Got(request.path, dict(request.headers), body))
        return web.Response(status=204) if self.answer is None else await self.answer(request)


@asynccontextmanager
async def receiving(answer: Answer | None = None) -> AsyncIterator[Receiver]:
    """Run an HTTP receiver."""
    receiver = Receiver(answer=answer)

    @web.middleware
    async def counting(request: web.Request, handler: Any) -> web.StreamResponse:
        if request.protocol not in seen:
            seen.append(request.protocol)
            receiver.connections += 1
        response: web.StreamResponse = await handler(request)
        return response

    seen: list[object] = []
    app = web.Application(middlewares=[counting])
    app.router.add_route("*", "/{path:.*}", receiver.take)
    async with served(app) as port:
        receiver.port = port
        yield receiver


@asynccontextmanager
async def served(app: web.Application, port: int = 0) -> AsyncIterator[int]:
    """Serve an application on a port of this machine; gives the port."""
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def raw(speak: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
              ) -> AsyncIterator[int]:  # fmt: skip
    """Serve bytes that need be no HTTP; gives the port."""
    tasks: set[asyncio.Task[Any]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await speak(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


def answering(status: int, **headers: str) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={k.replace("_", "-"): v
                                                    for k, v in headers.items()})  # fmt: skip

    return answer


@asynccontextmanager
async def senders(resolver: AbstractResolver | None = None, **settings: Any
                  ) -> AsyncIterator[Mapping[str, Sender]]:  # fmt: skip
    """Open the senders of an installation; sessions may name receivers of this machine."""
    given = {"delivery_seconds": 60.0, "delivery_allow": ("127.0.0.1",)} | settings
    opened = open_senders(DestinationSettings(**given), resolver)
    try:
        yield opened
    finally:
        for sender in opened.values():
            await sender.aclose()
