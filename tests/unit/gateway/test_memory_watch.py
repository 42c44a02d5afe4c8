"""A gateway looks at memory, and what it sees takes effect."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from steno_common.errors import StoreError, StoreUnavailableError
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.pressure import Memory, Pressure
from steno_gateway.memory import MemoryWatch

GIB = 1 << 30
PLENTY = Memory(8 * GIB, 16 * GIB)


class Sight:
    """What a look sees; tells when somebody has looked."""

    def __init__(self) -> None:
        self.ratios: list[float] | Exception = []
        self.memory: Memory | None = PLENTY
        self.looks = 0

    async def store(self) -> list[float]:
        if isinstance(self.ratios, Exception):
            raise self.ratios
        return self.ratios

    def machine(self) -> Memory | None:
        self.looks += 1
        return self.memory


@asynccontextmanager
async def watched(sight: Sight, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MemoryWatch]:
    monkeypatch.setattr("steno_gateway.memory.LOOK_SECONDS", 0.0)
    watch = MemoryWatch(Pressure(0.7, 0.9, GIB))
    task = asyncio.create_task(watch.run(sight.store, sight.machine))
    try:
        yield watch
    finally:
        task.cancel()
        await asyncio.wait([task])


async def look(sight: Sight) -> None:
    """Wait until all that is there to be seen now has been seen."""
    through = sight.looks + 2
    async with asyncio.timeout(60):
        while sight.looks < through:  # noqa: ASYNC110 - a step of the loop, not a time
            await asyncio.sleep(0)


def refused(watch: MemoryWatch) -> bool:
    try:
        watch.admit()
    except ClientError:
        return True
    return False


def test_who_is_refused_is_told_when_to_come_back() -> None:
    watch = MemoryWatch(Pressure(refuse_ratio=0.7))
    watch.admit()
    watch.pressure.store([0.7])
    with pytest.raises(ClientError) as caught:
        watch.admit()
    error = caught.value
    assert (error.code, error.fault.http, error.fault.close) == ("overloaded", 503, 1013)
    assert error.details == {"retry_after_ms": 5_000}


async def test_a_full_redis_stops_sessions_then_audio_until_it_has_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sight = Sight()
    async with watched(sight, monkeypatch) as watch:
        seen = []
        for ratio in (0.5, 0.75, 0.95, 0.8, 0.6):
            sight.ratios = [ratio]
            await look(sight)
            seen.append((refused(watch), watch.inflow.stopped))
        assert seen == [(False, False), (True, False), (True, True), (True, False), (False, False)]


async def test_memory_that_goes_warns_then_ends_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    sight = Sight()
    async with watched(sight, monkeypatch) as watch:
        seen = []
        for free in (2 * GIB, GIB, GIB // 4, GIB // 2, 2 * GIB):
            sight.memory = Memory(free, 16 * GIB)
            await look(sight)
            seen.append((refused(watch), watch.low.is_set(), watch.exhausted.is_set()))
        assert seen == [
            (False, False, False), (True, True, False), (True, True, True), (True, True, False),
            (False, False, False),
        ]  # fmt: skip


async def test_a_redis_that_does_not_answer_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    sight = Sight()
    sight.ratios = [0.95]
    async with watched(sight, monkeypatch) as watch:
        await look(sight)
        sight.ratios = StoreUnavailableError("away")
        await look(sight)
        assert watch.inflow.stopped


@pytest.mark.parametrize("unknown", [[], StoreError("Redis refused: NOPERM")])
async def test_what_cannot_be_watched_is_said_once_and_refuses_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    unknown: list[float] | Exception,
) -> None:  # fmt: skip
    sight = Sight()
    sight.ratios, sight.memory = unknown, None
    with caplog.at_level(logging.WARNING):
        async with watched(sight, monkeypatch) as watch:
            await look(sight)
            await look(sight)
            assert not refused(watch)
            assert not watch.inflow.stopped
    assert sorted(record.getMessage() for record in caplog.records) == [
        "the memory of Redis is not watched", "the memory of this machine is not watched",
    ]  # fmt: skip
