"""A TCP proxy between two parts, whose network is as bad as it is told to be.

    async with proxy("redis://127.0.0.1:6379/0") as network:
        url = network.url                       # where the client connects instead
        network.up = Way(delay=0.02)            # from the client to the server
        network.down = Way(swallow=True)        # one way only
        network.both(Way(rate=100))             # a trickle
        network.both(OPEN)                      # well again
        network.reset()                         # all connections, with RST

With several servers each connection goes to the next one that takes it; with none it is reset.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, Literal

from bench.network.addresses import Streams, Target
from bench.network.pipe import Pipe, abort
from bench.network.way import OPEN, Course, Way

__all__ = ["OPEN", "Proxy", "Way", "proxy"]

CONNECT_SECONDS: Final = 2.0
WAITING: Final = 1024
"""Connections that may wait to be taken: as many come at once when all clients come back."""
HOST: Final = "127.0.0.1"


class Connection:
    """One client with its server."""

    def __init__(self, near: Streams, far: Streams, up: Course, down: Course) -> None:
        self._writers = near[1], far[1]
        self.up = Pipe(near[0], far[1], up)
        self.down = Pipe(far[0], near[1], down)

    async def run(self) -> None:
        """Pass bytes both ways until both have ended or one side is reset."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.up.run(), name="proxy up")
                tasks.create_task(self.down.run(), name="proxy down")
            for writer in self._writers:
                writer.close()
                await writer.wait_closed()
        except* OSError:
            self.close(reset=True)
        finally:
            self.close(reset=False)

    def close(self, *, reset: bool) -> None:
        """Close both sides at once; what is under way is lost."""
        for writer in self._writers:
            abort(writer, reset=reset)


class Proxy:
    """Listens on a port of its own; made by `proxy`. All of it may be called at any moment."""

    def __init__(self, targets: Sequence[Target], tasks: asyncio.TaskGroup, port: int) -> None:
        self.targets = targets
        """The servers of new connections; those that are open stay where they are."""
        self._turn = 0
        self._tasks = tasks
        self._up, self._down = Course(), Course()
        self._open: dict[Connection, asyncio.Task[None]] = {}
        self._server: asyncio.Server | None = None
        # Bound without listening, so that the port stays ours while new connections are refused.
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._place.bind((HOST, port))
        self.port: int = self._place.getsockname()[1]
        self.accepted = 0
        """Connections made so far."""

    @property
    def url(self) -> str:
        """The address of the first server, by way of this proxy."""
        return self.targets[0].by_way_of(HOST, self.port)

    @property
    def connections(self) -> tuple[Connection, ...]:
        """Those that are open, the oldest first."""
        return tuple(self._open)

    @property
    def up(self) -> Way:
        """The way from clients to servers."""
        return self._up.way

    @up.setter
    def up(self, way: Way) -> None:
        self._up.way = way

    @property
    def down(self) -> Way:
        """The way from servers to clients."""
        return self._down.way

    @down.setter
    def down(self, way: Way) -> None:
        self._down.way = way

    def both(self, way: Way) -> None:
        """Set both ways."""
        self.up = self.down = way

    def reset(self, at_most: int | None = None) -> int:
        """Reset all connections (RST to both sides), or the oldest; gives how many."""
        return self._close(reset=True, at_most=at_most)

    def cut(self) -> int:
        """Close all connections in order, but lose what is under way; gives how many."""
        return self._close(reset=False)

    def half_close(self, way: Literal["up", "down"]) -> int:
        """End one way of all connections; the other goes on. Gives how many there were."""
        for connection in self._open:
            (connection.up if way == "up" else connection.down).end()
        return len(self._open)

    async def accept(self) -> None:
        """Take new connections, as it does from the start."""
        if self._server is None:
            self._server = await asyncio.start_server(
                self._welcome, HOST, self.port, reuse_port=True, backlog=WAITING
            )

    def refuse(self) -> None:
        """Refuse new connections; those that are there go on."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def close(self) -> None:
        """Refuse, reset, give the port back."""
        self.refuse()
        self.reset()
        self._place.close()

    def _close(self, *, reset: bool, at_most: int | None = None) -> int:
        closing = self.connections[:at_most]
        for connection in closing:
            connection.close(reset=reset)
            self._open.pop(connection).cancel()
        return len(closing)

    def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.create_task(self._serve((reader, writer)), name="proxy connection")

    async def _serve(self, near: Streams) -> None:
        far = await self._reach()
        if far is None:
            abort(near[1], reset=True)
            return
        connection = Connection(near, far, self._up, self._down)
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        self._open[connection] = task
        try:
            await connection.run()
        finally:
            self._open.pop(connection, None)

    async def _reach(self) -> Streams | None:
        """Connect to the next server that takes it; each has its turn to be the first."""
        targets = self.targets
        for _ in targets:
            target = targets[self._turn % len(targets)]
            self._turn += 1
            with contextlib.suppress(OSError):
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await target.connect()
        return None


@asynccontextmanager
async def proxy(*urls: str, port: int = 0) -> AsyncIterator[Proxy]:
    """Run a proxy before any number of servers, named as `Target.parse` reads them.

    It listens on `port`; 0: on one that nobody has.
    """
    async with asyncio.TaskGroup() as tasks:
        made = Proxy(tuple(Target.parse(url) for url in urls), tasks, port)
        try:
            await made.accept()
            yield made
        finally:
            made.close()
