"""The way from clients to gateways: what the client's HTTP library and the gateway's server do."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aiohttp import ClientConnectionError, web
from multidict import MultiDict
from tests.simulation.chaos import Chaos
from tests.simulation.processes import WORLD, Process
from tests.simulation.trace import Trace
from tests.simulation.wire import ClientEnd, Line

from steno_gateway.access import CALLER
from steno_gateway.api import post_session, session_socket
from steno_gateway.app import _typed_errors
from steno_gateway.domain.access import ALL_RIGHTS, Caller
from steno_gateway.listen import listen_socket
from steno_gateway.services import SERVICES, Services


@dataclass
class Request:
    """What handlers use of a request."""

    services: Services
    path: str
    body: bytes = b""
    line: Line | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def app(self) -> dict[Any, Any]:
        return {SERVICES: self.services}

    @property
    def transport(self) -> Line | None:
        return self.line

    @property
    def content_length(self) -> int:
        return len(self.body)

    @property
    def match_info(self) -> dict[str, str]:
        return {"session_id": urlsplit(self.path).path.split("/")[4]}

    @property
    def query(self) -> MultiDict[str]:
        return MultiDict(parse_qsl(urlsplit(self.path).query))

    def __getitem__(self, key: Any) -> Caller:
        assert key is CALLER
        return Caller(ALL_RIGHTS, address="client")

    async def read(self) -> bytes:
        return self.body


Handler = Callable[[Any], Awaitable[web.StreamResponse]]


@dataclass
class Door:
    """One gateway as clients reach it."""

    process: Process
    services: Services
    lines: list[Line] = field(default_factory=list)

    def handle(self, handler: Handler, request: Request) -> "asyncio.Task[web.StreamResponse]":
        """Have the gateway's process handle a request."""
        work: Any = _typed_errors(request, handler)  # type: ignore[arg-type]
        return asyncio.get_running_loop().create_task(
            work, name=f"request of {self.process}", context=self.process.context.copy()
        )


@dataclass
class Answer:
    """What the client uses of a response."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.status < 400

    async def text(self) -> str:
        return self.body


@dataclass
class Http:
    """What the client uses of an HTTP session: behind it a balancer chooses the gateway."""

    doors: list[Door]
    chaos: Chaos
    trace: Trace

    @asynccontextmanager
    async def request(self, method: str, url: str, **options: Any) -> AsyncIterator[Answer]:
        """Create a session, the one request that sessions make."""
        assert (method, urlsplit(url).path) == ("POST", "/api/streaming/sessions")
        door = await self._door()
        body = json.dumps(options["json"]).encode()
        task = door.handle(post_session, Request(door.services, url, body))
        await asyncio.wait([task], timeout=10.0)
        await asyncio.sleep(self.chaos.delay())
        now = asyncio.get_running_loop().time()
        lost = not task.done() or task.cancelled() or self.chaos.fate(now) != "well"
        self.trace("client", "POST", door.process, "lost" if lost else "answered")
        if lost:
            task.cancel()
            raise ClientConnectionError("simulated: the connection was lost")
        response: Any = task.result()
        yield Answer(response.status, response.text, response.headers)

    async def ws_connect(self, url: str, **options: Any) -> ClientEnd:
        """Open a socket on one of the gateways."""
        door = await self._door()
        loop = asyncio.get_running_loop()
        line = Line(loop, self.chaos, options.get("heartbeat"))
        door.lines.append(line)
        handler = listen_socket if "/listen?" in url else session_socket
        task = door.handle(handler, Request(door.services, url, line=line))
        task.add_done_callback(lambda _: door.lines.remove(line), context=WORLD)
        task.add_done_callback(
            lambda _: None if line.server.closed else line.abort(), context=WORLD
        )
        opened = loop.create_task(line.server.opened.wait(), name="handshake")
        try:
            await asyncio.wait([task, opened], return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            # The client has no more patience; the gateway may have the request all the same.
            line.lose_somehow()
            raise
        finally:
            opened.cancel()
        self.trace("client", "socket", url.rpartition("/")[2], door.process)
        if not line.server.opened.is_set():
            raise ClientConnectionError("simulated: the gateway is gone")
        return line.client

    async def _door(self) -> Door:
        await asyncio.sleep(self.chaos.delay())
        open_doors = [door for door in self.doors if not door.process.dead]
        if not open_doors:
            raise ClientConnectionError("simulated: nobody listens")
        return self.chaos.draw.choice(open_doors)
