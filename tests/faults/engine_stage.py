"""A deployment whose transcribers have engines of several names, with its visitors."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Final

import aiohttp
import pytest
from bench.faults.book import read, writing
from bench.faults.clients import Clients, Visit
from bench.faults.deployment import Deployment, Size, deployed
from bench.faults.expected import NUMBERED
from bench.faults.gathering import left
from bench.faults.history import Begun, Notice
from bench.faults.part import Part
from bench.faults.run import HISTORY, Times, gather, watched
from bench.faults.speech import Speech, speech
from tests.redis_servers import candidates

from steno_transcriber.settings import RecognitionSettings

SEED: Final = 30
TIMES: Final = Times(lease=2.0, retention=3.0, idle=20.0)
CHUNK_SECONDS: Final = (0.1, 0.3)
CHANGED: Final = "warned engine_changed"


@dataclass
class Stage:
    """The deployment while it runs."""

    folder: Path
    deployment: Deployment
    clients: Clients
    tasks: asyncio.TaskGroup
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    """Who talks comes to an end."""

    async def staff(self, engine: str, count: int, **settings: str) -> list[Part]:
        parts = [
            self.deployment.start("transcriber", STENO_ENGINE_NAME=engine, **settings)
            for _ in range(count)
        ]
        for part in parts:
            await part.ready(self.deployment.http)
        return parts

    def visit(self, number: int, seconds: float) -> None:
        self._visit(number, (speech(SEED, number, seconds, CHUNK_SECONDS),))

    def talk(self, number: int, speeches: Iterable[Speech]) -> None:
        """Let a visitor say one after the other until it is enough."""
        self._visit(number, takewhile(lambda _: not self.enough.is_set(), speeches))

    def _visit(self, number: int, says: Iterable[Speech]) -> None:
        listeners = 1 if number == 0 else 0
        visiting = self.clients.visit(Visit(number, says, listeners=listeners))
        self.tasks.create_task(visiting, name=f"visit {number}")

    async def engines(self, numbers: Sequence[int]) -> Counter[str | None]:
        """Count sessions by the engine that their newest text is from."""
        self.deployment.book.file.flush()
        records = read(self.folder / HISTORY)
        ids = {each.session: each.session_id for each in records if isinstance(each, Begun)}
        found = Counter[str | None]()
        for number in numbers:
            if number in ids:
                page = f"{self.deployment.edge.url}/api/streaming/sessions/{ids[number]}"
                async with self.deployment.http.get(page) as answer:
                    found[(await answer.json())["engine"]] += 1
        return found

    async def until(self, holds: Callable[[], Awaitable[bool]], seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    if await holds():
                        return
                except (aiohttp.ClientError, TimeoutError):
                    continue
                await asyncio.sleep(0.2)

    async def are_with(self, engine: str, numbers: Sequence[int], seconds: float) -> None:
        async def holds() -> bool:
            return await self.engines(numbers) == {engine: len(numbers)}

        await self.until(holds, seconds)


@asynccontextmanager
async def stage(
    folder: Path,
    settings: Mapping[str, str],
    alone: RecognitionSettings = NUMBERED,
    *,
    repeatable: bool = True,
) -> AsyncIterator[Stage]:
    """Run it until all visitors have gone, then gather what is known.

    `alone` is the engine that says what each session's audio holds; with others beside it the
    finals are not repeatable, only their words.
    """
    if not candidates():
        pytest.skip("no Redis found: install redis-server")
    size = Size(transcribers=0)
    first = folder / HISTORY
    with writing(first, "test_engines", SEED, TIMES.lease, repeatable=repeatable) as book:
        async with (
            deployed(folder, book, size, TIMES.settings() | settings) as deployment,
            watched(deployment) as clients,
        ):
            async with asyncio.TaskGroup() as tasks:
                made = Stage(folder, deployment, clients, tasks)
                yield made
            book.put(await left(deployment, TIMES.longest))
        book.file.flush()
        await gather(folder, book, clients.said, alone)


def changes(folder: Path) -> Counter[int]:
    """Count for each session how often its client was told of another engine."""
    notices = [each for each in read(folder / HISTORY) if isinstance(each, Notice)]
    return Counter(each.session for each in notices if each.said == CHANGED and each.reader == 0)
