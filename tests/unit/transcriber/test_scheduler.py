"""Queue between recognisers and an engine."""

import asyncio
from collections.abc import Sequence

import pytest
from tests.unit.transcriber.sound import FakeEngine, GatedEngine, loud, turn

from steno_transcriber.domain.hypothesis import Again, Hypothesis, Request, Window
from steno_transcriber.engines.base import EngineError
from steno_transcriber.engines.scripted import spoken
from steno_transcriber.scheduler import Scheduler


def window(seed: int, *, final: bool = True) -> Window:
    return Window(loud(3_200, seed), final=final)


async def test_each_session_gets_the_answer_to_its_own_window() -> None:
    windows = [window(seed) for seed in range(9)]
    async with Scheduler(FakeEngine(max_batch=4)) as scheduler:
        answers = await asyncio.gather(
            *(scheduler.decode(f"s{n}", Request(each)) for n, each in enumerate(windows))
        )
    assert answers == [spoken(each) for each in windows]
    assert len({answer.text for answer in answers}) == 9


async def test_what_waits_is_batched_finals_first_and_then_the_oldest_partial() -> None:
    engine = GatedEngine(max_batch=2)
    async with Scheduler(engine) as scheduler, asyncio.TaskGroup() as tasks:
        first, old, new, final = (
            window(0),
            window(1, final=False),
            window(2, final=False),
            window(3),
        )
        for session, each in (("a", first), ("b", old), ("c", new), ("d", final)):
            tasks.create_task(scheduler.decode(session, Request(each)))
            await turn()
        assert engine.batches == [[first]]
        assert scheduler.waiting == 3
        engine.gate.set()
    assert engine.batches == [[first], [final, old], [new]]


async def test_a_cancelled_request_leaves_the_queue() -> None:
    engine = GatedEngine()
    async with Scheduler(engine) as scheduler:
        running = asyncio.create_task(scheduler.decode("a", Request(window(0))))
        await turn()
        waiting = asyncio.create_task(scheduler.decode("b", Request(window(1, final=False))))
        await turn()
        waiting.cancel()
        await turn()
        assert scheduler.waiting == 0
        engine.gate.set()
        await running
    assert len(engine.batches) == 1


async def test_an_answer_nobody_waits_for_any_more_is_dropped() -> None:
    engine = GatedEngine()
    async with Scheduler(engine) as scheduler:
        running = asyncio.create_task(scheduler.decode("a", Request(window(0))))
        await turn()
        running.cancel()
        await turn()
        engine.gate.set()
        assert await scheduler.decode("a", Request(window(1))) == spoken(window(1))


async def test_a_partial_leaves_the_last_place_free_for_a_final() -> None:
    engine = GatedEngine(max_batch=1, concurrency=2, reserve=1)
    async with Scheduler(engine) as scheduler, asyncio.TaskGroup() as tasks:
        first, second, final = window(0, final=False), window(1, final=False), window(2)
        for session, each in (("a", first), ("b", second), ("c", final)):
            tasks.create_task(scheduler.decode(session, Request(each)))
            await turn()
        assert engine.batches == [[first], [final]]
        engine.gate.set()
    assert engine.batches == [[first], [final], [second]]


async def test_a_failed_batch_is_tried_window_by_window() -> None:
    engine = FakeEngine()
    engine.faults = [None, EngineError("all"), None, EngineError("one"), None]
    windows = [window(n) for n in range(4)]
    async with Scheduler(engine) as scheduler:
        first, *rest = await asyncio.gather(
            *(scheduler.decode(f"s{n}", Request(each)) for n, each in enumerate(windows)),
            return_exceptions=True,
        )
    assert [len(batch) for batch in engine.batches] == [1, 3, 1, 1, 1]
    assert first == spoken(windows[0])
    assert (rest[0], str(rest[1]), rest[2]) == (spoken(windows[1]), "one", spoken(windows[3]))


async def test_a_bug_in_an_engine_ends_the_scheduler_loudly() -> None:
    class Broken(FakeEngine):
        async def decode(self, windows: Sequence[Window]) -> list[Hypothesis | Again]:
            raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as caught:
        async with Scheduler(Broken()) as scheduler:
            await scheduler.decode("a", Request(window(0)))
    assert caught.group_contains(ZeroDivisionError)


async def test_leaving_gives_up_what_is_running() -> None:
    engine = GatedEngine()
    async with Scheduler(engine) as scheduler:
        running = asyncio.create_task(scheduler.decode("a", Request(window(0))))
        waiting = asyncio.create_task(scheduler.decode("b", Request(window(1))))
        await turn()
    assert [type(r) for r in await asyncio.gather(running, waiting, return_exceptions=True)] == [
        asyncio.CancelledError,
        asyncio.CancelledError,
    ]
