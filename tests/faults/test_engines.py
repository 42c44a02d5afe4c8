"""Sessions go on with another engine where theirs dies or is full, and back: real processes."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from bench.faults.book import read, writing
from bench.faults.check import judge
from bench.faults.clients import Clients, Visit
from bench.faults.deployment import Deployment, Size, deployed
from bench.faults.gathering import left
from bench.faults.history import Begun, Notice
from bench.faults.part import Part
from bench.faults.run import HISTORY, Times, gather, watched
from bench.faults.speech import Speech, speech
from tests.redis_servers import candidates

SEED = 30
TIMES = Times(lease=2.0, retention=3.0, idle=20.0)
SETTINGS = {"STENO_ENGINES": "first,second", "STENO_ENGINE_STAY_SECONDS": "3"}
CHANGED = "warned engine_changed"


@dataclass
class Stage:
    """A deployment whose transcribers have engines of two names, with its visitors."""

    folder: Path
    deployment: Deployment
    clients: Clients
    tasks: asyncio.TaskGroup
    speeches: dict[int, Speech] = field(default_factory=dict)

    async def staff(self, engine: str, count: int, **settings: str) -> list[Part]:
        parts = [
            self.deployment.start("transcriber", STENO_ENGINE_NAME=engine, **settings)
            for _ in range(count)
        ]
        for part in parts:
            await part.ready(self.deployment.http)
        return parts

    def visit(self, number: int, seconds: float) -> None:
        said = self.speeches[number] = speech(SEED, number, seconds, (0.1, 0.3))
        listeners = 1 if number == 0 else 0
        visiting = self.clients.visit(Visit(number, said, listeners=listeners))
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
async def stage(folder: Path) -> AsyncIterator[Stage]:
    """Run it until all visitors have gone, then gather what is known."""
    if not candidates():
        pytest.skip("no Redis found: install redis-server")
    size = Size(transcribers=0)
    with writing(folder / HISTORY, "test_engines", SEED, TIMES.lease) as book:
        settings = TIMES.settings() | SETTINGS
        async with (
            deployed(folder, book, size, settings) as deployment,
            watched(deployment) as clients,
        ):
            async with asyncio.TaskGroup() as tasks:
                made = Stage(folder, deployment, clients, tasks)
                yield made
            book.put(await left(deployment, TIMES.longest))
        book.file.flush()
        await gather(folder, book, made.speeches)


def changes(folder: Path) -> Counter[int]:
    """Count for each session how often its client was told of another engine."""
    notices = [each for each in read(folder / HISTORY) if isinstance(each, Notice)]
    return Counter(each.session for each in notices if each.said == CHANGED and each.reader == 0)


@pytest.mark.timeout(240)
async def test_twenty_live_sessions_outlive_all_workers_of_their_engine_and_go_back(
    tmp_path: Path,
) -> None:
    everybody = range(20)
    async with stage(tmp_path) as made:
        first = await made.staff("first", 2)
        await made.staff("second", 2)
        for number in everybody:
            made.visit(number, seconds=50)
        await made.are_with("first", everybody, 20)
        for part in first:
            await part.kill()
        await made.are_with("second", everybody, 20)
        made.visit(20, seconds=8)
        await made.are_with("second", [20], 12)
        await made.staff("first", 2)
        made.visit(21, seconds=8)
        await made.are_with("first", [21], 10)
        await made.are_with("first", everybody, 40)
    assert judge(read(tmp_path / HISTORY), silent_seconds=30.0) == 0
    told = changes(tmp_path)
    assert {number: told[number] for number in everybody} == dict.fromkeys(everybody, 2)
    assert told[20] <= 1
    assert told[21] == 0


@pytest.mark.timeout(120)
async def test_what_the_first_engine_has_no_room_for_runs_on_the_second(tmp_path: Path) -> None:
    everybody = range(12)
    async with stage(tmp_path) as made:
        await made.staff("first", 1, STENO_MAX_WORKER_SESSIONS="5")
        await made.staff("second", 1)
        for number in everybody:
            made.visit(number, seconds=12)

        async def all_have_text() -> bool:
            return await made.engines(everybody) == {"first": 5, "second": 7}

        await made.until(all_have_text, 15)
    assert judge(read(tmp_path / HISTORY), silent_seconds=30.0) == 0
