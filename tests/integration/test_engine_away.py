"""A transcriber whose service is away leaves sessions to other engines, but for a probe."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.fake_transcribe.behaviours import Behaviour, Rule
from tests.integration import aws_rig as rig_module
from tests.integration.aws_rig import NUMBERS, PCM, AwsRig, aws_rig
from tests.redis_servers import RedisServer

from steno_common.measured import Report
from steno_common.messages import Ended, Session
from steno_common.store import workers
from steno_common.store.limits import Limits
from steno_common.store.workers import WorkerStore
from steno_transcriber import metrics
from steno_transcriber.domain import balance
from steno_transcriber.load import LoadMeter
from steno_transcriber.recognition import Recognition, open_recognition
from steno_transcriber.settings import RecognitionSettings
from steno_transcriber.watch import Watch
from steno_transcriber.worker import Worker

LIMITS = Limits(shards=4, lease_seconds=60.0, engine_grace_seconds=3_600.0)
"""Who waits for its turn waits longer than any test: whoever is served was sent there."""
STAY = 0.5
AWAY = {
    "refused": Behaviour(refuse="ServiceUnavailableException"),
    "full": Behaviour(refuse="LimitExceededException"),
    "locked": Behaviour(refuse="UnrecognizedClientException"),
    "silent": Behaviour(no_headers=True),
}
SECONDS = 100.0
"""Longest wait for anything."""


@dataclass
class Clock:
    """The time of a breaker: a second from look to look, but it stands still once that is open."""

    watch: Watch
    now: float = 0.0

    def __call__(self) -> float:
        self.now += not self.watch.away
        return self.now


@dataclass
class Team:
    """Workers on `aws`, which is the fake, and on an engine here."""

    rig: AwsRig
    numbered: Recognition
    stack: AsyncExitStack
    clock: Clock
    workers: dict[str, Worker] = field(default_factory=dict)

    @property
    def away(self) -> bool:
        return self.rig.recognition.watch.away

    @property
    def asked(self) -> int:
        """How often the service was asked for a stream."""
        return len(self.rig.fake.journal.streams)

    def service(self, behaviour: Behaviour | None) -> None:
        self.rig.fake.service.rules = [Rule(behaviour)] if behaviour else ()

    async def hire(self, *names: str, engine: str = "") -> None:
        """Start workers that know of each other."""
        for name in names:
            recognition = self.rig.recognition if name == "aws" else self.numbered
            worker = Worker(self.rig.work, recognition, LoadMeter(), 10, engine or name, STAY)
            self.workers[name] = worker
            draining = asyncio.Event()
            task = asyncio.create_task(worker.run(draining))

            async def stop(task: asyncio.Task[None] = task, end: asyncio.Event = draining) -> None:
                end.set()
                await task

            self.stack.push_async_callback(stop)

        async def met() -> bool:
            others = len(self.workers) - 1
            return all(
                len(worker._balancing.there) >= min(1, others) for worker in self.workers.values()
            )

        await self.rig.until(met, SECONDS)

    async def begin(self, *engines: str) -> tuple[str, int]:
        session = Session(str(uuid.uuid4()), time.time_ns() // 10**6, "audio/pcm", engines=engines)
        await self.rig.sessions.create(session, "e")
        attached = await self.rig.sessions.attach(session.session_id)
        assert attached is not None
        return session.session_id, attached.conn

    async def spoken(self, *engines: str) -> tuple[str, int]:
        """Begin a session whose audio is there at once; gives it when all is recognised."""
        held = await self.begin(*engines)
        await self.rig.send(held, PCM)
        await self.rig.mark(held, "end")

        async def ended() -> bool:
            return any(isinstance(event, Ended) for event in await self.rig.events(held))

        await self.rig.until(ended, SECONDS)
        await self.rig.check_accounts(held, len(PCM) // 2)
        return held

    async def engine(self, held: tuple[str, int]) -> str:
        snapshot = await self.rig.sessions.snapshot(held[0])
        assert snapshot is not None
        return snapshot.engine

    async def outage(self, behaviour: Behaviour) -> None:
        """Let the first sessions find out that the service is away."""
        self.service(behaviour)
        while not self.away:
            held = await self.spoken("aws", "numbered")
            assert await self.rig.words(held) == NUMBERS

    async def nobody_else(self) -> bool:
        """Whether the worker on the engine here would pass no session on to `aws`."""
        return not self.workers["numbered"]._balancing.there

    async def report(self) -> Report:
        """Give what the worker on `aws` says of itself."""
        found = await WorkerStore(self.rig.work.link, LIMITS).report(
            self.workers["aws"]._balancing.balance.worker
        )
        assert found is not None
        return found

    async def says(self, room: int, *, away: bool) -> None:
        async def holds() -> bool:
            said = await self.report()
            return (said.room, said.away) == (room, away)

        await self.rig.until(holds, SECONDS)

    async def check(self, held: Sequence[tuple[str, int]], engine: str) -> None:
        """All words came from one engine, and nobody was told of another."""
        for each in held:
            assert await self.rig.words(each) == NUMBERS
            assert set(await self.rig.warnings(each)) <= {"high_latency"}
            assert await self.engine(each) == engine


@asynccontextmanager
async def teamed(
    redis: RedisServer, folder: Path, patched: pytest.MonkeyPatch, connect_seconds: float = 20.0
) -> AsyncIterator[Team]:
    # However slow the machine is: nobody takes a session because nobody else does, nobody who is
    # late is taken for dead.
    patched.setattr(balance, "GRACE_SECONDS", 3_600.0)
    patched.setattr(workers, "STALE_SECONDS", 3_600.0)
    patched.setattr(rig_module, "LIMITS", LIMITS)
    rules = {"connect_seconds": connect_seconds, "finish_seconds": 20.0, "tries": 2}
    async with (
        aws_rig(redis, folder, patched, **rules) as rig,
        open_recognition(RecognitionSettings(engine="numbered")) as numbered,
        AsyncExitStack() as stack,
    ):
        watch = rig.recognition.watch
        watch.clock = clock = Clock(watch)
        yield Team(rig, numbered, stack, clock)


@pytest.fixture
async def team(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Team]:
    async with teamed(redis_server, tmp_path, monkeypatch) as team:
        yield team


@pytest.mark.parametrize("behaviour", AWAY.values(), ids=AWAY.keys())
async def test_later_sessions_begin_with_the_next_engine_and_ask_nothing_of_a_service_that_is_away(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, behaviour: Behaviour
) -> None:
    connect_seconds = 0.5 if behaviour.no_headers else 20.0
    async with teamed(redis_server, tmp_path, monkeypatch, connect_seconds) as team:
        await team.hire("aws", "numbered")
        await team.outage(behaviour)
        asked, passed_on = team.asked, metrics.PASSED_ON._value.get()
        assert asked <= 3
        await team.says(0, away=True)
        await team.rig.until(team.nobody_else, SECONDS)
        later = await asyncio.gather(*[team.spoken("aws", "numbered") for _ in range(4)])
        await team.check(later, "numbered")
        assert team.asked == asked
        assert metrics.PASSED_ON._value.get() == passed_on + 4


async def test_a_probe_asks_alone_and_the_first_that_is_answered_brings_sessions_back(
    team: Team,
) -> None:
    await team.hire("aws", "numbered")
    await team.outage(AWAY["refused"])
    guest = await team.begin("aws", "numbered")
    following = await team.rig.send(guest, PCM)

    async def is_with(engine: str) -> bool:
        return await team.engine(guest) == engine

    await team.rig.until(lambda: is_with("numbered"), SECONDS)
    team.clock.now += 5.0
    await team.says(1, away=True)
    # One tries, in vain; whoever comes behind it does not.
    await team.check([await team.spoken("aws", "numbered")], "numbered")
    assert team.asked == 4
    await team.says(0, away=True)
    await team.check([await team.spoken("aws", "numbered") for _ in range(2)], "numbered")
    assert team.asked == 4
    team.service(None)
    team.clock.now += 10.0
    await team.check([await team.spoken("aws", "numbered")], "aws")
    assert not team.away
    await team.check([await team.spoken("aws", "numbered") for _ in range(2)], "aws")
    async with asyncio.timeout(SECONDS):
        while not await is_with("aws"):
            following = await team.rig.send(guest, PCM, first=following)
            await asyncio.sleep(0.3)
    assert set(await team.rig.warnings(guest)) - {"high_latency"} == {"engine_changed"}


async def test_sessions_that_no_other_engine_may_take_are_tried_as_ever(team: Team) -> None:
    await team.hire("aws", "numbered")
    await team.outage(AWAY["refused"])
    for tries in (2, 4):
        held = await team.spoken("aws")
        assert "segment_skipped" in await team.rig.warnings(held)
        assert team.asked == 3 + tries
    # Any engine may take this one, so that which is there does.
    await team.check([await team.spoken()], "numbered")
    assert team.asked == 7
    # The first that is answered says so to all.
    team.service(None)
    await team.check([await team.spoken("aws")], "aws")
    await team.check([await team.spoken("aws", "numbered")], "aws")


async def test_a_worker_that_is_alone_with_an_engine_that_is_away_takes_all_as_ever(
    team: Team,
) -> None:
    await team.hire("aws")
    team.service(AWAY["refused"])
    for engines in (("aws", "numbered"), ("aws",), (), ("aws", "numbered")):
        held = await team.spoken(*engines)
        assert "segment_skipped" in await team.rig.warnings(held)
    assert team.away
    assert team.asked == 8
    team.service(None)
    await team.check([await team.spoken("aws", "numbered"), await team.spoken()], "aws")


async def test_sessions_stay_with_their_engine_where_another_worker_still_reaches_it(
    team: Team,
) -> None:
    await team.hire("aws", "numbered")
    await team.outage(AWAY["refused"])
    await team.hire("one more", engine="aws")
    there = team.workers["aws"]._balancing

    async def heard() -> bool:
        return "aws" in there.there

    await team.rig.until(heard, SECONDS)
    passed_on = metrics.PASSED_ON._value.get()
    await team.check([await team.spoken("aws", "numbered") for _ in range(3)], "aws")
    assert team.asked == 3
    assert metrics.PASSED_ON._value.get() == passed_on
