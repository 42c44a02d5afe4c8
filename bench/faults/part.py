"""One part of a deployment: a process that is started again whenever it ends."""

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp
from bench.faults.book import Book
from bench.faults.crashing import fired
from bench.faults.history import Fault, Process
from bench.faults.starting import Started, Starter

from steno_standalone.ready import is_ready

RESTART_SECONDS: Final = 0.1
"""From an end to the next start."""

_READY_SECONDS: Final = 150.0
_ASK_SECONDS: Final = 0.05


@dataclass(eq=False, slots=True)
class Part:
    """Keeps one process running from `run` until `retire`."""

    name: str
    role: str
    starter: Starter
    environment: Mapping[str, str]
    health: str | None
    """Page that answers 200 once it is ready; None where there is none."""
    folder: Path
    """Of its logs, with its crash points below."""
    book: Book
    pid: int | None = None
    starts: int = 0
    deaths: int = 0
    """Times that it died by SIGKILL."""
    away_seconds: float = 0.0
    """Added to the next time between an end and a start."""
    _retired: bool = False
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def crash_folder(self) -> Path:
        """Where its crash points lie."""
        return self.folder / "crashes" / self.name

    async def run(self) -> None:
        """Start the process, and again after every end."""
        self.crash_folder.mkdir(parents=True, exist_ok=True)
        try:
            while not self._retired:
                await self._live_once()
                if not self._retired and self.role != "redis":
                    away, self.away_seconds = self.away_seconds, 0.0
                    await asyncio.sleep(RESTART_SECONDS + away)
        finally:
            self._over.set()

    async def _live_once(self) -> None:
        self.starts += 1
        log = self.folder / f"{self.name}.{self.starts}.log"
        started: Started = await self.starter.start(self.environment, log)
        self.pid = started.pid
        self._note(started.pid, None)
        if self._retired:
            self.signal(signal.SIGTERM)
        status = await started.ended
        self.pid = None
        self.deaths += status == -signal.SIGKILL
        self._note(started.pid, status)
        for point in fired(self.crash_folder):
            now = self.book.now
            self.book.put(Fault(f"crash {self.role} {point}", self.name, now, now))

    def _note(self, pid: int, status: int | None) -> None:
        self.book.put(Process(self.name, self.role, self.starts, pid, self.book.now, status))

    def signal(self, number: int) -> bool:
        """Send a signal; says whether there was a process."""
        if self.pid is None:
            return False
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)
        return True

    async def retire(self, seconds: float = 40.0) -> None:
        """Ask the process to end, for good; kill it if it does not."""
        self._retired = True
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(seconds):
                await self._over.wait()
        except TimeoutError:
            self.signal(signal.SIGKILL)
            await self._over.wait()

    async def kill(self) -> None:
        """Kill the process, for good."""
        self._retired = True
        self.signal(signal.SIGKILL)
        await self._over.wait()

    async def ready(self, http: aiohttp.ClientSession) -> None:
        """Wait until it is ready; raises TimeoutError."""
        async with asyncio.timeout(_READY_SECONDS):
            while not await self.is_ready(http):  # noqa: ASYNC110 - it is asked over HTTP
                await asyncio.sleep(_ASK_SECONDS)

    async def is_ready(self, http: aiohttp.ClientSession) -> bool:
        """Ask once."""
        return self.pid is not None if self.health is None else await is_ready(http, self.health)
