"""Turns in the queue: windows that are replaced, decoded again, given up."""

import asyncio
from collections.abc import Hashable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.transcriber.sound import FakeEngine, GatedEngine, loud, turn

from steno_transcriber.domain.hypothesis import Again, Hypothesis, Request, Window
from steno_transcriber.engines.scripted import spoken
from steno_transcriber.scheduler import Measure, Scheduler


def window(seed: int, *, final: bool = True) -> Window:
    return Window(loud(3_200, seed), final=final)


class Demanding(FakeEngine):
    """Wants to see some windows several times; each time is a group of its own."""

    def __init__(self, times: dict[int, int], *, max_batch: int = 4, concurrency: int = 1) -> None:
        super().__init__(max_batch=max_batch, concurrency=concurrency)
        self.times = times
        self.permits = asyncio.Semaphore(1_000)
        self.answered = 0

    def group(self, window: Window) -> Hashable:
        return len(window.tried)

    async def decode(self, windows: Sequence[Window]) -> list[Hypothesis | Again]:
        self.batches.append(list(windows))
        await self.permits.acquire()
        await asyncio.sleep(0)
        self.answered += 1
        return [self._answer(each) for each in windows]

    def _answer(self, window: Window) -> Hypothesis | Again:
        if len(window.tried) < self.times.get(int(window.audio[0]), 0):
            return Again(replace(window, tried=(*window.tried, "once")))
        return spoken(window)

    @property
    def asked(self) -> list[list[tuple[int, int]]]:
        """First sample and number of tries of each window of each batch."""
        return [[(int(w.audio[0]), len(w.tried)) for w in batch] for batch in self.batches]


def marked(mark: int, *, final: bool = True) -> Window:
    audio = loud(3_200, mark)
    audio[0] = mark
    return Window(audio, final=final)


async def test_what_waits_can_be_replaced_until_it_is_taken() -> None:
    engine = GatedEngine(max_batch=1)
    async with Scheduler(engine) as scheduler:
        running = asyncio.create_task(scheduler.decode("a", Request(window(0))))
        await turn()
        request = Request(window(1, final=False))
        waiting = asyncio.create_task(scheduler.decode("b", request))
        other = asyncio.create_task(scheduler.decode("c", Request(window(2, final=False))))
        await turn()
        assert not request.taken
        request.window = newer = window(3, final=False)
        engine.gate.set()
        assert await waiting == spoken(newer)
        assert request.taken
        await asyncio.gather(running, other)
    # The newer window has kept the turn of the one that it replaced.
    assert engine.batches[1] == [newer]
    assert len(engine.batches) == 3


async def test_what_was_replaced_by_a_final_goes_before_partials() -> None:
    engine = GatedEngine(max_batch=1)
    async with Scheduler(engine) as scheduler, asyncio.TaskGroup() as tasks:
        first, second = Request(window(1, final=False)), Request(window(2, final=False))
        for session, request in (("a", Request(window(0))), ("b", first), ("c", second)):
            tasks.create_task(scheduler.decode(session, request))
            await turn()
        second.window = final = window(3)
        engine.gate.set()
    assert engine.batches[1:] == [[final], [first.window]]


async def test_an_early_final_lets_first_words_pass_until_somebody_waits_for_it() -> None:
    for waited_for, order in ((False, ["first", "early"]), (True, ["early", "first"])):
        engine = GatedEngine(max_batch=1)
        async with Scheduler(engine) as scheduler, asyncio.TaskGroup() as tasks:
            early = Request(window(1), early=True)
            first = Request(Window(loud(3_200, 2), final=False, first=True))
            for session, request in (("a", Request(window(0))), ("b", early), ("c", first)):
                tasks.create_task(scheduler.decode(session, request))
                await turn()
            early.early = not waited_for
            engine.gate.set()
        named = {id(early.window): "early", id(first.window): "first"}
        assert [named[id(each)] for (each,) in engine.batches[1:]] == order


async def test_a_window_that_is_decoded_again_keeps_its_turn_and_holds_up_nobody() -> None:
    engine = Demanding({7: 1}, max_batch=2)
    engine.permits = asyncio.Semaphore(0)
    async with Scheduler(engine) as scheduler:
        running = asyncio.create_task(scheduler.decode("x", Request(marked(1))))
        await turn()
        tasks = [
            asyncio.create_task(scheduler.decode(f"s{mark}", Request(marked(mark))))
            for mark in (7, 8, 9)
        ]
        await turn()
        for _ in range(2):
            engine.permits.release()
        await turn()
        assert [task.done() for task in tasks] == [False, True, False]
        for _ in range(2):
            engine.permits.release()
        answers = await asyncio.gather(running, *tasks)
    assert answers == [spoken(marked(mark)) for mark in (1, 7, 8, 9)]
    assert engine.asked == [[(1, 0)], [(7, 0), (8, 0)], [(7, 1)], [(9, 0)]]


@settings(deadline=None, max_examples=50)
@given(
    times=st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=12),
    max_batch=st.integers(1, 4),
    concurrency=st.integers(1, 3),
)
def test_each_window_is_decoded_as_often_as_it_takes_and_answered_once(
    times: list[tuple[int, bool]], max_batch: int, concurrency: int
) -> None:
    engine = Demanding(
        {mark: again for mark, (again, _) in enumerate(times)},
        max_batch=max_batch,
        concurrency=concurrency,
    )
    windows = [marked(mark, final=final) for mark, (_, final) in enumerate(times)]

    async def run() -> list[Hypothesis]:
        async with asyncio.timeout(60), Scheduler(engine) as scheduler:
            answers = await asyncio.gather(
                *(scheduler.decode(f"s{n}", Request(each)) for n, each in enumerate(windows))
            )
            await turn()
            assert scheduler.waiting == 0
        return answers

    assert asyncio.run(run()) == [spoken(each) for each in windows]
    seen = [asked for batch in engine.asked for asked in batch]
    assert sorted(seen) == [
        (mark, tried) for mark, (again, _) in enumerate(times) for tried in range(again + 1)
    ]
    for batch in engine.asked:
        assert len(batch) <= max_batch
        assert len({tried for _, tried in batch}) == 1


@pytest.mark.parametrize(
    ("decoded", "wanted"),
    [(0, 0), (1, 1), (2, 2), (3, 2)],
    ids=["waiting", "at work", "at work again", "answered"],
)
async def test_a_caller_can_give_up_at_any_time(decoded: int, wanted: int) -> None:
    engine = Demanding({7: 1}, max_batch=1)
    engine.permits = asyncio.Semaphore(decoded)
    async with Scheduler(engine) as scheduler:
        before = asyncio.create_task(scheduler.decode("a", Request(marked(1))))
        given_up = asyncio.create_task(scheduler.decode("b", Request(marked(7))))
        # Step by step: the last answer is given, but its caller has not gone on yet.
        while engine.answered < decoded:  # noqa: ASYNC110 - an event would wake others first
            await asyncio.sleep(0)
        if decoded < 3:
            await turn()
        assert given_up.cancel()
        await asyncio.wait([given_up])
        assert given_up.cancelled()
        assert scheduler.waiting == 0
        for _ in range(9):
            engine.permits.release()
        assert await scheduler.decode("b", Request(marked(2))) == spoken(marked(2))
        assert await before == spoken(marked(1))
        # The place that the batch has taken is free again.
        assert await scheduler.decode("c", Request(marked(3))) == spoken(marked(3))
    assert sum(batch == [(7, n)] for n in (0, 1) for batch in engine.asked) == wanted


async def test_leaving_gives_up_what_is_decoded_again() -> None:
    engine = Demanding({7: 1}, max_batch=1)
    engine.permits = asyncio.Semaphore(1)
    async with Scheduler(engine) as scheduler:
        again = asyncio.create_task(scheduler.decode("a", Request(marked(7))))
        waiting = asyncio.create_task(scheduler.decode("b", Request(marked(8))))
        await turn()
        assert engine.asked == [[(7, 0)], [(7, 1)]]
    given_up = await asyncio.gather(again, waiting, return_exceptions=True)
    assert [type(each) for each in given_up] == [asyncio.CancelledError] * 2


async def test_windows_of_different_groups_are_decoded_apart() -> None:
    class ByLength(GatedEngine):
        def group(self, window: Window) -> Hashable:
            return len(window.audio)

    engine = ByLength(max_batch=4)
    async with Scheduler(engine) as scheduler, asyncio.TaskGroup() as tasks:
        for number, length in enumerate((3_200, 3_200, 6_400, 3_200, 6_400)):
            request = Request(Window(loud(length, number)))
            tasks.create_task(scheduler.decode(f"s{number}", request))
            await turn()
        engine.gate.set()
    lengths = [[len(each.audio) for each in batch] for batch in engine.batches]
    assert lengths == [[3_200], [3_200, 3_200], [6_400, 6_400]]


async def test_a_batch_of_partials_is_smaller_than_one_with_finals() -> None:
    engine = GatedEngine(max_batch=4)
    engine.max_partials = 2
    async with Scheduler(engine) as scheduler, asyncio.TaskGroup() as tasks:
        for number in range(4):
            request = Request(window(number, final=False))
            tasks.create_task(scheduler.decode(f"s{number}", request))
            await turn()
        engine.gate.set()
    assert [len(batch) for batch in engine.batches] == [1, 2, 1]


class Clock:
    """The loop's time, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.now)


async def test_times_of_batches_and_waits_are_observed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    seen: dict[Measure, list[float]] = {}
    engine = GatedEngine(max_batch=4)

    def observe(measure: Measure, value: float) -> None:
        seen.setdefault(measure, []).append(round(value, 6))

    async with Scheduler(engine, observe) as scheduler, asyncio.TaskGroup() as tasks:
        tasks.create_task(scheduler.decode("a", Request(window(0))))
        await turn()
        for number in (1, 2):
            tasks.create_task(scheduler.decode(f"f{number}", Request(window(number))))
        tasks.create_task(scheduler.decode("p", Request(window(3, final=False))))
        await turn()
        clock.now += 0.25
        engine.gate.set()
        await asyncio.sleep(0)
        engine.gate.clear()
        await turn()
        clock.now += 0.6
        engine.gate.set()
        await turn()
    assert seen == {
        "batch_windows": [1, 3],
        "final_wait_seconds": [0, 0.25, 0.25],
        "partial_wait_seconds": [0.25],
        "final_padded_seconds": [0.2, 0.2, 0.2],
        "partial_padded_seconds": [0.2],
        "batch_seconds": [0.25, 0.6],
        "final_seconds": [0.25, 0.2, 0.2],
        "partial_seconds": [0.2],
    }


async def test_partials_that_wait_long_slow_the_pace_and_finals_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)
    for final, stretched in ((True, False), (False, True)):
        engine = GatedEngine(max_batch=1)
        async with Scheduler(engine) as scheduler, asyncio.TaskGroup() as tasks:
            for number in range(20):
                request = Request(window(number, final=final))
                tasks.create_task(scheduler.decode(f"s{number}", request))
            await turn()
            clock.now += 3
            engine.gate.set()
            await turn()
            await turn()
        assert (scheduler.pace.stretch > 2) is stretched
