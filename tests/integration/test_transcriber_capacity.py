"""Workers that share sessions by their room, with a real Redis and engines that take their time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack

import pytest
from tests.integration.transcriber_rig import SPEECH, Rig, open_rig, recognising, working
from tests.redis_servers import RedisServer

from steno_common.measured import GpuUse
from steno_common.messages import Ended, Event, Final, Warned
from steno_common.process import Usage
from steno_common.store.limits import Limits
from steno_common.store.workers import Report, WorkerStore
from steno_transcriber.domain.capacity import Engine
from steno_transcriber.domain.hypothesis import Hypothesis, Window
from steno_transcriber.engines.scripted import ScriptedEngine
from steno_transcriber.load import LoadMeter
from steno_transcriber.settings import RecognitionSettings
from steno_transcriber.worker import Worker

GPU = GpuUse("H200", 0.5, 3_000_000_000, 150_000_000_000)
SETTINGS = RecognitionSettings(engine="scripted", pause_seconds=0.5)


class TimedEngine(ScriptedEngine):
    """Decodes one window after the other, each for so many seconds until it is relieved."""

    max_batch = max_partials = concurrency = 1
    reserve = 0

    def __init__(self, seconds: float, relieved: asyncio.Event) -> None:
        self._seconds = seconds
        self._relieved = relieved

    async def decode(self, windows: Sequence[Window]) -> list[Hypothesis]:  # type: ignore[override]
        await asyncio.sleep(0 if self._relieved.is_set() else self._seconds)
        return [
            answer for answer in await super().decode(windows) if isinstance(answer, Hypothesis)
        ]


class Team:
    """Workers with engines of their own, on one Redis."""

    def __init__(self, rig: Rig, stack: AsyncExitStack) -> None:
        self.rig = rig
        self._stack = stack

    async def worker(self, *, seconds: float = 0.0, expected: float = 0.0,
                     relieved: asyncio.Event | None = None) -> Worker:  # fmt: skip
        """Start a worker whose windows take so long, though this is what it expects of them."""
        meter = LoadMeter(Engine(1, expected))
        recognition = await self._stack.enter_async_context(
            recognising(TimedEngine(seconds, relieved or asyncio.Event()), SETTINGS, meter.observe)
        )
        worker = Worker(self.rig.work, recognition, meter, 100)
        await self._stack.enter_async_context(working(worker))
        return worker

    async def spoken(self, count: int, pcm: bytes = SPEECH) -> list[tuple[str, int]]:
        """Begin sessions whose audio is there at once."""
        held = [await self.rig.begin() for _ in range(count)]
        for one in held:
            await self.rig.send(one, pcm)
            await self.rig.mark(one, "end")
        return held

    async def holds(self, worker: Worker, count: int) -> None:
        async def holds() -> bool:
            return worker.load().sessions >= count

        await self.rig.until(holds)


@pytest.fixture
async def team(redis_server: RedisServer) -> AsyncIterator[Team]:
    limits = Limits(shards=4, lease_seconds=2.0)
    async with open_rig(redis_server, limits, SETTINGS) as rig, AsyncExitStack() as stack:
        yield Team(rig, stack)


def _said(events: list[Event]) -> list[tuple[int, str, int, int]]:
    return [(e.commit, e.text, e.start, e.end) for e in events if isinstance(e, Final)]


async def test_a_worker_that_is_late_gives_sessions_to_one_with_room_and_no_word_is_lost(
    team: Team,
) -> None:
    relieved = asyncio.Event()
    slow = await team.worker(seconds=1.5, relieved=relieved)
    held = await team.spoken(7, SPEECH * 2)
    await team.holds(slow, 7)
    quick = await team.worker()
    await team.holds(quick, 1)
    relieved.set()
    for one in held:
        await team.rig.ended(one)
    logs = [await team.rig.events(one) for one in held]
    (alone,) = await team.spoken(1, SPEECH * 2)
    await team.rig.ended(alone)
    expected = _said(await team.rig.events(alone))
    assert [commit for commit, *_ in expected] == sorted(commit for commit, *_ in expected)
    assert len(expected) == 5
    assert [_said(events) for events in logs] == [expected] * 7
    assert all(isinstance(events[-1], Ended) for events in logs)


async def test_finals_that_come_late_are_told_of_once_and_are_the_same(team: Team) -> None:
    await team.worker(seconds=0.6)
    held = await team.spoken(4)
    for one in held:
        await team.rig.ended(one)
    logs = [await team.rig.events(one) for one in held]
    warned = [[e.code for e in events if isinstance(e, Warned)] for events in logs]
    assert ["high_latency"] in warned
    assert all(codes in ([], ["high_latency"]) for codes in warned)
    assert len({tuple(_said(events)) for events in logs}) == 1


async def test_a_worker_without_room_leaves_sessions_to_one_that_has_it(team: Team) -> None:
    narrow = await team.worker(expected=10.0)
    first = await team.rig.begin()
    await team.rig.send(first, SPEECH[:32_000])
    await team.holds(narrow, 1)
    held = await team.spoken(5)
    await team.worker()
    for one in held:
        await team.rig.ended(one)
    assert narrow.load().sessions == 1
    assert await team.rig.finals(first) == []


async def test_a_session_that_nobody_has_room_for_is_taken_in_the_end(team: Team) -> None:
    narrow = await team.worker(expected=0.5)
    first = await team.rig.begin()
    await team.rig.send(first, SPEECH[:32_000])
    await team.holds(narrow, 1)
    clock = asyncio.get_running_loop().time
    began = clock()
    (second,) = await team.spoken(1)
    await team.rig.ended(second)
    assert clock() - began >= 2.0
    assert len(await team.rig.finals(second)) == 3


async def test_a_worker_says_how_it_stands_until_it_ends(team: Team) -> None:
    registry = WorkerStore(team.rig.work.link, team.rig.work.limits)
    draining = asyncio.Event()
    worker = Worker(team.rig.work, team.rig.recognition, LoadMeter(), 7,
                    usage=lambda: Usage(150.0, 900_000_000), gpu=lambda: GPU)  # fmt: skip
    task = asyncio.create_task(worker.run(draining))
    standing = Report(7, 7, strained=False, cpu_percent=150.0, memory_bytes=900_000_000, gpu=GPU,
                      engine="scripted")  # fmt: skip

    async def others() -> list[Report]:
        heard = await registry.beat("watcher", Report(0, 0, strained=False))
        return list(heard.others.values())

    async def said() -> bool:
        return await others() == [standing]

    await team.rig.until(said)
    draining.set()
    await task
    assert await others() == []
