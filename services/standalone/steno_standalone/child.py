"""One running program of the installation."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from steno_standalone import tether
from steno_standalone.domain.tail import Tail

_CHUNK_BYTES = 64 * 1024
_LAST_OUTPUT_SECONDS = 1.0

Writer = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Program:
    """What to start: command line, environment, bytes for its standard input.

    The output of a quiet program is only kept, for the case that it fails.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = field(default=b"", repr=False)
    quiet: bool = False


def tethered(argv: tuple[str, ...]) -> list[str]:
    """Give the command line that runs `argv` and dies with this process."""
    # -I and -S: no site packages, which take most of an interpreter's start.
    return [sys.executable, "-I", "-S", str(Path(tether.__file__)), str(os.getpid()), *argv]


class Child:
    """A started program, in a session of its own: a terminal's Ctrl-C does not reach it."""

    def __init__(self, process: asyncio.subprocess.Process, output: asyncio.StreamReader) -> None:
        self._process = process
        self._output = output

    @classmethod
    async def start(cls, program: Program) -> "Child":
        """Start `program`; its output is read by `wait`."""
        # The pipe is our own: asyncio's `Process.wait` lasts until asyncio's pipes close, and a
        # grandchild may hold them open long after the program has died.
        read_end, write_end = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *tethered(program.argv),
                env=dict(program.environment),
                stdin=asyncio.subprocess.PIPE,
                stdout=write_end,
                stderr=write_end,
                start_new_session=True,
            )
        except BaseException:
            os.close(read_end)
            raise
        finally:
            os.close(write_end)
        assert process.stdin is not None
        process.stdin.write(program.stdin)
        process.stdin.close()
        return cls(process, await _reader(read_end))

    async def wait(self, tail: Tail, write: Writer) -> int:
        """Hand output on in whole lines until the program has ended; return its status.

        The status is negative for a signal, as in `subprocess`.
        """
        pump = asyncio.create_task(self._pump(tail, write), name=f"output of {self._process.pid}")
        try:
            status = await self._process.wait()
            self._kill_group()
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(pump), _LAST_OUTPUT_SECONDS)
        finally:
            pump.cancel()
            await asyncio.wait([pump])
        return status

    async def _pump(self, tail: Tail, write: Writer) -> None:
        while data := await self._output.read(_CHUNK_BYTES):
            write(tail.feed(data))
        write(tail.close())

    def terminate(self) -> None:
        """Ask the program to end."""
        if self._process.returncode is None:
            self._process.terminate()

    def kill(self) -> None:
        """End the program with all that it started."""
        if self._process.returncode is None:
            self._kill_group()

    def _kill_group(self) -> None:
        # A session's leader gives its id to the group, which outlives it.
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


async def _reader(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", 0)
    )
    return reader
