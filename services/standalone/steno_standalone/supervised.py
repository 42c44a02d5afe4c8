"""A program that is started again whenever it ends."""

import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from steno_standalone.child import Child, Program
from steno_standalone.domain.restarts import Restarts
from steno_standalone.domain.tail import Tail

STOP_SECONDS = 10.0

Say = Callable[[str], object]


class Supervised:
    """Keeps one program alive from `run` until `stop`."""

    def __init__(self, program: Program, say: Say) -> None:
        self.name = program.name
        self.restarts = Restarts()
        self._program = program
        self._say = say
        self._tail = Tail()
        self._child: Child | None = None
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()

    @property
    def last_lines(self) -> str:
        """The last lines the program wrote, indented."""
        return "\n".join(f"  {line}" for line in self._tail.lines or ["(it wrote nothing)"])

    async def run(self) -> None:
        """Start the program, and again after every end, until `stop`."""
        try:
            while not self._stopping.is_set():
                started = time.monotonic()
                self._child = await Child.start(self._program)
                if self._stopping.is_set():
                    self._child.terminate()
                status = await self._child.wait(self._tail, self._write)
                if not self._stopping.is_set():
                    self.restarts = self.restarts.ended_after(time.monotonic() - started)
                    await self._pause(status)
        finally:
            self.kill()
            self._ended.set()

    async def _pause(self, status: int) -> None:
        delay = self.restarts.delay_seconds
        self._say(f"{self.name} ended ({_reason(status)}), starts again in {delay:g} s")
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._stopping.wait()

    async def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Ask the program to end, wait for `seconds`, then end it; needs a running `run`."""
        self._stopping.set()
        if self._child is not None:
            self._child.terminate()
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            self._say(f"{self.name} does not stop within {seconds:g} s, killed")
            self.kill()
            await self._ended.wait()

    def _write(self, lines: bytes) -> None:
        # With the terminal gone the output is still read, or the program blocks on a full pipe.
        with suppress(OSError):
            if not self._program.quiet:
                sys.stderr.buffer.write(lines)
                sys.stderr.buffer.flush()

    def kill(self) -> None:
        """End the program at once, with all that it started; it is not started again."""
        self._stopping.set()
        if self._child is not None:
            self._child.kill()


def _reason(status: int) -> str:
    return f"exit {status}" if status >= 0 else f"signal {-status}"
