"""Workers of two engines on a real Redis: one fails for a session, the other goes on with it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest
from tests.integration.transcriber_rig import SPEECH, Rig, open_rig, recognising, working
from tests.redis_servers import RedisServer

from steno_common.messages import Final, Warned
from steno_common.store.limits import Limits
from steno_transcriber import metrics
from steno_transcriber.domain.hypothesis import Again, Hypothesis, Window
from steno_transcriber.engines.base import EngineError
from steno_transcriber.engines.scripted import ScriptedEngine
from steno_transcriber.load import LoadMeter
from steno_transcriber.settings import RecognitionSettings
from steno_transcriber.worker import Worker

SETTINGS = RecognitionSettings(engine="scripted", pause_seconds=0.5)
STAY = 0.5
CHANGED = "engine_changed"


class MoodyEngine(ScriptedEngine):
    """Fails for finals while it is told to."""

    failing = False

    async def decode(self, windows: Sequence[Window]) -> list[Hypothesis | Again]:
        if self.failing and any(window.final for window in windows):
            raise EngineError("moody", code="engine_limited")
        return await super().decode(windows)


@dataclass
class Team:
    """Workers by the names of their engines."""

    rig: Rig
    stack: AsyncExitStack
    workers: list[Worker] = field(default_factory=list)

    async def worker(self, engine: str, most: int = 10) -> MoodyEngine:
        """Begin a worker; gives its engine."""
        moody = MoodyEngine()
        recognition = await self.stack.enter_async_context(recognising(moody, SETTINGS))
        worker = Worker(self.rig.work, recognition, LoadMeter(), most, engine, STAY)
        self.workers.append(worker)
        await self.stack.enter_async_context(working(worker))
        return moody

    async def meet(self) -> None:
        """Wait until the workers have heard of each other."""

        async def met() -> bool:
            return all(worker._balancing.there for worker in self.workers)

        await self.rig.until(met)

    async def spoken(self, *engines: str, pcm: bytes = SPEECH) -> tuple[str, int]:
        """Begin a session whose audio is there at once; gives it when all is recognised."""
        held = await self.rig.begin(*engines)
        await self.rig.send(held, pcm)
        await self.rig.mark(held, "end")
        await self.rig.ended(held)
        return held

    async def warnings(self, held: tuple[str, int]) -> list[str]:
        """Give the codes of what was told, but for how late text is: that is the machine's."""
        told = [e.code for e in await self.rig.events(held) if isinstance(e, Warned)]
        return [code for code in told if code != "high_latency"]

    async def engine(self, held: tuple[str, int]) -> str:
        snapshot = await self.rig.sessions.snapshot(held[0])
        assert snapshot is not None
        assert snapshot.received >= snapshot.transcribed + snapshot.silence
        return snapshot.engine


@pytest.fixture
async def team(redis_server: RedisServer) -> AsyncIterator[Team]:
    limits = Limits(shards=4, lease_seconds=2.0, engine_grace_seconds=2.0)
    async with open_rig(redis_server, limits, SETTINGS) as rig, AsyncExitStack() as stack:
        yield Team(rig, stack)


async def clean(team: Team) -> list[tuple[str, int, int]]:
    """Give the finals of a session that one engine recognises alone."""
    return await team.rig.finals(await team.spoken("second"))


async def test_another_engine_goes_on_at_the_border_and_the_client_is_told_once(
    team: Team,
) -> None:
    first = await team.worker("first")
    await team.worker("second")
    await team.meet()
    whole = await clean(team)
    held = await team.rig.begin("first", "second")
    half = len(SPEECH) // 2 // 3_200 * 3_200
    following = await team.rig.send(held, SPEECH[:half])

    async def spoke() -> bool:
        return len(await team.rig.finals(held)) == 1

    await team.rig.until(spoke)
    assert await team.engine(held) == "first"
    passed_on = metrics.PASSED_ON._value.get()
    first.failing = True
    await team.rig.send(held, SPEECH[half:], first=following)
    await team.rig.mark(held, "end")
    await team.rig.ended(held)
    assert await team.rig.finals(held) == whole
    assert await team.warnings(held) == [CHANGED]
    assert await team.engine(held) == "second"
    assert metrics.PASSED_ON._value.get() == passed_on + 1


async def test_without_another_engine_the_segment_is_told_and_the_session_goes_on(
    team: Team,
) -> None:
    first = await team.worker("first")
    first.failing = True
    for engines in (("first", "second"), ("first",), ()):
        held = await team.spoken(*engines)
        assert await team.warnings(held) == ["segment_skipped"] * 3
        assert await team.rig.finals(held) == []


async def test_a_segment_that_no_engine_can_do_is_told(team: Team) -> None:
    for engine in ("first", "second"):
        (await team.worker(engine)).failing = True
    await team.meet()
    held = await team.spoken("first", "second")
    assert await team.warnings(held) == ["segment_skipped"] * 3
    assert await team.engine(held) == "second"


async def test_a_live_session_goes_back_when_its_first_choice_is_there(team: Team) -> None:
    await team.worker("second")
    held = await team.rig.begin("first", "second")
    piece = SPEECH[: 2 * 48_000]
    following = await team.rig.send(held, piece)

    async def is_with(engine: str) -> bool:
        return await team.engine(held) == engine

    await team.rig.until(lambda: is_with("second"))
    await team.worker("first")
    async with asyncio.timeout(60):
        while not await is_with("first"):
            following = await team.rig.send(held, piece, first=following)
            await asyncio.sleep(0.3)
    await team.rig.mark(held, "end")
    await team.rig.ended(held)
    assert await team.warnings(held) == [CHANGED]
    events = await team.rig.events(held)
    starts = [event.start for event in events if isinstance(event, Final)]
    assert starts == sorted(set(starts))
    snapshot = await team.rig.sessions.snapshot(held[0])
    assert snapshot is not None
    assert snapshot.received == snapshot.transcribed + snapshot.silence


async def test_what_the_first_choice_has_no_room_for_begins_with_the_second(team: Team) -> None:
    await team.worker("first", most=2)
    await team.worker("second")
    held = [await team.rig.begin("first", "second") for _ in range(5)]
    for one in held:
        await team.rig.send(one, SPEECH)

    async def all_speak() -> bool:
        return all([await team.engine(one) for one in held])

    await team.rig.until(all_speak)
    engines = sorted([await team.engine(one) for one in held])
    assert engines == ["first"] * 2 + ["second"] * 3
    assert [await team.warnings(one) for one in held] == [[]] * 5
