"""A TCP forwarder that delivers late, and can be cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from bench.failover.servers import HOST

CHUNK: Final = 65_536
QUEUE: Final = 10_000

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Forwarder:
    """Passes bytes between a port of its own and another, each `delay` seconds late."""

    def __init__(self, port: int, target: int, delay: float) -> None:
        self.port = port
        self._target = target
        self._delay = delay
        self._open: set[asyncio.Task[None]] = set()
        self._cut = False

    def cut(self) -> None:
        """Lose what is under way, and let nothing pass any more."""
        self._cut = True
        for task in self._open:
            task.cancel()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection through."""
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        writers = [writer]
        try:
            if self._cut:
                return
            far_reader, far_writer = await asyncio.open_connection(HOST, self._target)
            writers.append(far_writer)
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._pass(reader, far_writer), name="forward up")
                ways.create_task(self._pass(far_reader, writer), name="forward down")
        except* OSError:
            pass  # one side is gone, so the other goes
        except* asyncio.CancelledError:
            pass  # cut
        finally:
            self._open.discard(task)
            for each in writers:
                each.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(QUEUE)
        clock = asyncio.get_running_loop().time

        async def deliver() -> None:
            while True:
                due, data = await under_way.get()
                await asyncio.sleep(due - clock())
                if not data:
                    raise ConnectionResetError
                writer.write(data)
                await writer.drain()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(deliver(), name="deliver")
            while data := await reader.read(CHUNK):
                await under_way.put((clock() + self._delay, data))
            await under_way.put((clock() + self._delay, b""))


@asynccontextmanager
async def forwarder(port: int, target: int, delay: float) -> AsyncIterator[Forwarder]:
    """Run a forwarder from one port of this machine to another."""
    made = Forwarder(port, target, delay)
    server = await asyncio.start_server(made.serve, HOST, port)
    try:
        yield made
    finally:
        server.close()
        made.cut()
