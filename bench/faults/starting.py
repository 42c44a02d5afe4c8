"""Ways to start a process of a service: a fork of a zygote, or a program of its own."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Protocol

import msgspec
from bench.faults.zygote import Born, Gone, Start
from bench.processes import ROOT, plain_environment, start

from steno_standalone.child import Program, tethered

_ONE_THREAD: Final = {
    # Libraries of numbers begin threads when they are imported, unless told not to.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "ORT_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}


@dataclass(frozen=True, slots=True)
class Started:
    """A running process with its end to come: the exit status, negative for a signal."""

    pid: int
    ended: asyncio.Future[int]


class Starter(Protocol):
    """Starts processes of one program."""

    async def start(self, environment: Mapping[str, str], output: Path) -> Started:
        """Start one; its output is appended to a file."""


Starters = Callable[[str], Starter]
"""Gives the starter of a service."""


class ZygoteError(Exception):
    """Nothing can be forked any more."""


@dataclass(slots=True)
class Zygote:
    """A service's zygote, seen from here."""

    process: asyncio.subprocess.Process
    stopping: bool = False
    _born: asyncio.Queue[int] = field(default_factory=lambda: asyncio.Queue(1))
    _ends: dict[int, asyncio.Future[int]] = field(default_factory=dict)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One request at a time."""

    async def start(self, environment: Mapping[str, str], output: Path) -> Started:
        """Fork a child."""
        assert self.process.stdin is not None
        async with self._one:
            start = Start({**environment}, str(output))
            self.process.stdin.write(msgspec.json.encode(start) + b"\n")
            await self.process.stdin.drain()
            pid = await self._born.get()
        return Started(pid, self._ends[pid])

    async def listen(self) -> None:
        """Hear of births and ends, until the zygote ends; raises ZygoteError if it ends itself."""
        assert self.process.stdout is not None
        decode = msgspec.json.Decoder(Born | Gone).decode
        async for line in self.process.stdout:
            match decode(line):
                case Born(pid=pid):
                    self._ends[pid] = asyncio.get_running_loop().create_future()
                    await self._born.put(pid)
                case Gone(pid=pid, status=status):
                    self._ends.pop(pid).set_result(status)
        if not self.stopping:
            raise ZygoteError("a zygote has ended; its last words are on standard error")


@asynccontextmanager
async def zygotes(services: tuple[str, ...]) -> AsyncIterator[Starters]:
    """Run a zygote for each service; at the end all their children die with them."""
    running: dict[str, Zygote] = {}
    environment = plain_environment() | _ONE_THREAD
    async with asyncio.TaskGroup() as tasks:
        for service in services:
            process = await asyncio.create_subprocess_exec(
                *tethered((sys.executable, "-m", "bench.faults.zygote", service)),
                cwd=ROOT, env=environment, start_new_session=True,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            running[service] = Zygote(process)
            tasks.create_task(running[service].listen(), name=f"zygote {service}")
        try:
            yield running.__getitem__
        finally:
            for zygote in running.values():
                zygote.stopping = True
                with suppress(ProcessLookupError):
                    zygote.process.kill()
                await zygote.process.wait()


@asynccontextmanager
async def programs(_services: tuple[str, ...]) -> AsyncIterator[Starters]:
    """Start each process as a new program."""

    def starter(service: str) -> Starter:
        argv = (sys.executable, "-m", "bench.faults.launch", service)
        return Exec(Program(service, argv, plain_environment() | _ONE_THREAD))

    yield starter


@dataclass(frozen=True, slots=True)
class Exec:
    """Starts a program by fork and exec."""

    program: Program

    async def start(self, environment: Mapping[str, str], output: Path) -> Started:
        """Start it; it dies with this process."""
        own = {**self.program.environment, **environment}
        process = await start(replace(self.program, environment=own), output)
        return Started(process.pid, asyncio.ensure_future(process.wait()))
