"""One direction of one connection through a proxy."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Iterator
from typing import Final

from bench.network.way import Course, Way

PIECE_BYTES: Final = 16 << 10
PIECES_UNDER_WAY: Final = 256
STEPS_A_SECOND: Final = 50
"""How often a slow connection passes something."""

_LINGER_NOT: Final = struct.pack("ii", 1, 0)


def abort(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    """Close at once, with what is buffered lost; with `reset` the peer sees a reset (RST)."""
    if reset and not writer.transport.is_closing():
        raw: socket.socket = writer.get_extra_info("socket")
        with contextlib.suppress(OSError):  # it may be closed already; Unix sockets know no reset
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    writer.transport.abort()


class Pipe:
    """Takes bytes from a reader, gives them to a writer as its course says."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, course: Course
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._course = course
        self._pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(PIECES_UNDER_WAY)
        self._lost = False
        self.passed = 0
        """Bytes that have arrived."""

    async def run(self) -> None:
        """Pass bytes until the end of them is passed too; raises ConnectionError."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._take(), name="proxy take")
            tasks.create_task(self._give(), name="proxy give")

    def end(self) -> None:
        """End this direction in order (half close); what comes still is lost."""
        if not self._lost:
            self._lost = True
            self._pass_end()

    async def _take(self) -> None:
        clock = asyncio.get_running_loop().time
        data = b"-"
        while data:
            data = await self._reader.read(PIECE_BYTES)
            await self._pieces.put((clock(), data))

    async def _give(self) -> None:
        while True:
            since, data = await self._pieces.get()
            way = await self._course.passable(since)
            self._lost = self._lost or way.swallow
            if not self._lost and data:
                await self._write(data, way)
            if not data:
                if not self._lost:
                    self._pass_end()
                return

    async def _write(self, data: bytes, way: Way) -> None:
        for piece in _steps(data, way.rate):
            if self._lost:
                return
            self._writer.write(piece)
            await self._writer.drain()
            self.passed += len(piece)
            if way.rate is not None:
                await self._course.change(len(piece) / way.rate)

    def _pass_end(self) -> None:
        with contextlib.suppress(OSError):
            if self._writer.can_write_eof() and not self._writer.is_closing():
                self._writer.write_eof()


def _steps(data: bytes, rate: float | None) -> Iterator[bytes]:
    size = len(data) if rate is None else max(1, round(rate / STEPS_A_SECOND))
    for place in range(0, len(data), size):
        yield data[place : place + size]
