"""One address in front of all gateways: forwards each connection to one that is ready."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Final

import aiohttp

ASK_SECONDS: Final = 0.2
"""How often each gateway is asked whether it is ready."""

_ANSWER_SECONDS: Final = 1.0
_CONNECT_SECONDS: Final = 1.0
_PIECE_BYTES: Final = 1 << 16


@dataclass(slots=True)
class Edge:
    """Forwards bytes; knows nothing of what they say."""

    backends: dict[str, int] = field(default_factory=dict)
    """Ports of the gateways, by name."""
    port: int = 0
    _ready: set[str] = field(default_factory=set)
    _turn: Iterator[int] = field(default_factory=count)
    _open: dict[asyncio.StreamWriter, asyncio.StreamWriter] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Address for clients."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def reachable(self) -> bool:
        """Whether every gateway is ready."""
        return self._ready == self.backends.keys()

    def add(self, name: str, port: int) -> None:
        """Forward to another gateway, once it is ready."""
        self.backends[name] = port

    def remove(self, name: str) -> None:
        """Forward nothing new to a gateway; what is open stays."""
        self.backends.pop(name, None)
        self._ready.discard(name)

    def drop(self, share: float = 1.0) -> int:
        """Cut a share of the open connections, at least one of them; gives how many."""
        chosen = list(self._open.items())[: max(1, round(share * len(self._open)))]
        for writers in chosen:
            for writer in writers:
                writer.transport.abort()
        return len(chosen)

    async def watch(self) -> None:
        """Ask the gateways whether they are ready, until cancelled."""
        timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            while True:
                asked = dict(self.backends)
                answers = await asyncio.gather(*(_is_ready(http, port) for port in asked.values()))
                found = {name for name, ready in zip(asked, answers, strict=True) if ready}
                self._ready = found & self.backends.keys()
                await asyncio.sleep(ASK_SECONDS)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection; closed at once where no gateway is ready."""
        there = await self._connect()
        if there is None:
            writer.close()
            return
        self._open[writer] = there[1]
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_forward(reader, there[1]), name="edge in")
                tasks.create_task(_forward(there[0], writer), name="edge out")
        finally:
            del self._open[writer]
            for each in (writer, there[1]):
                each.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        names = sorted(self._ready)
        turn = next(self._turn)
        for place in range(len(names)):
            name = names[(turn + place) % len(names)]
            port = self.backends.get(name)
            if port is None:
                continue
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    return await asyncio.open_connection("127.0.0.1", port)
            except (OSError, TimeoutError):
                continue
        return None


async def _is_ready(http: aiohttp.ClientSession, port: int) -> bool:
    try:
        async with http.get(f"http://127.0.0.1:{port}/readyz") as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while piece := await reader.read(_PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
    # The other direction may still have something to say.
    with suppress(OSError, RuntimeError):
        writer.write_eof()


@asynccontextmanager
async def open_edge(backends: Mapping[str, int]) -> AsyncIterator[Edge]:
    """Listen on a port of the edge's own."""
    edge = Edge(dict(backends))
    server = await asyncio.start_server(edge.serve, "127.0.0.1", 0, backlog=1024)
    edge.port = server.sockets[0].getsockname()[1]
    watching = asyncio.create_task(edge.watch(), name="edge watch")
    try:
        yield edge
    finally:
        watching.cancel()
        await asyncio.wait([watching])
        server.close()
        edge.drop()
