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
from bench.faults.history import Notice
from bench.faults.part import Part
from bench.faults.run import HISTORY, Times, gather, watched
from bench.faults.speech import Speech, speech
from bench.faults.takeovers import CHANGED
from tests.fake_transcribe.authority import Authority
from tests.fake_transcribe.hearing import local_engine
from tests.fake_transcribe.server import FakeTranscribe, serve
from tests.fake_transcribe.service import Service
from tests.redis_servers import candidates

from steno_transcriber.settings import RecognitionSettings

SEED: Final = 30
TIMES: Final = Times(lease=5.0, retention=5.0, idle=20.0)
PATIENCE_SECONDS: Final = 200.0
CHUNK_SECONDS: Final = (0.1, 0.3)


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
        begun = [number for number in numbers if number in self.clients.ids]
        return Counter([await self.engine(number) for number in begun])

    async def engine(self, number: int) -> str | None:
        """Say which engine the newest text of a session is from; None if it is gone."""
        page = f"{self.deployment.edge.url}/api/streaming/sessions/{self.clients.ids[number]}"
        async with self.deployment.http.get(page) as answer:
            found: str | None = (await answer.json())["engine"] if answer.status == 200 else None
        return found

    async def until(
        self, holds: Callable[[], Awaitable[bool]], seconds: float = PATIENCE_SECONDS
    ) -> None:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    if await holds():
                        return
                except (aiohttp.ClientError, TimeoutError):
                    continue
                await asyncio.sleep(0.2)

    async def are_with(self, engine: str, numbers: Sequence[int]) -> None:
        async def holds() -> bool:
            return await self.engines(numbers) == {engine: len(numbers)}

        await self.until(holds)

    async def come_to(
        self, engine: str, numbers: Sequence[int], seconds: float = PATIENCE_SECONDS
    ) -> None:
        """Wait until each session has had text from an engine, wherever it goes from there."""
        others = set(numbers)

        async def holds() -> bool:
            for number in others & self.clients.ids.keys():
                if await self.engine(number) == engine:
                    others.discard(number)
            return not others

        await self.until(holds, seconds)


@asynccontextmanager
async def stage(
    folder: Path, settings: Mapping[str, str], alone: RecognitionSettings = NUMBERED
) -> AsyncIterator[Stage]:
    """Run it until all visitors have gone, then gather what is known.

    `alone` is the engine that says what each session's audio holds.
    """
    if not candidates():
        pytest.skip("no Redis found: install redis-server")
    size = Size(transcribers=0)
    # A service ends segments where it likes: with it, only the words are those of a clean run.
    repeatable = "aws" not in settings["STENO_ENGINES"].split(",")
    history = folder / HISTORY
    with writing(history, "test_engines", SEED, TIMES.lease, repeatable=repeatable) as book:
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


@asynccontextmanager
async def service(
    folder: Path, hears: RecognitionSettings = NUMBERED
) -> AsyncIterator[FakeTranscribe]:
    """Run a fake of the engine `aws` that hears with an engine of this machine."""
    async with (
        local_engine(hears) as listen,
        serve(Service(listen=listen), Authority(folder / "ca.pem")) as fake,
    ):
        yield fake


def changes(folder: Path) -> Counter[int]:
    """Count for each session how often its client was told of another engine."""
    notices = [each for each in read(folder / HISTORY) if isinstance(each, Notice)]
    return Counter(each.session for each in notices if each.said == CHANGED and each.reader == 0)
