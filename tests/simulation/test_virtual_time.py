"""The loop of simulations: what it stands on, what it promises."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import pytest
from tests.simulation.processes import Process
from tests.simulation.virtual_time import PRIVATE, SimLoop, StuckError


def run(seed: int, work: Coroutine[Any, Any, Any]) -> tuple[Any, float]:
    """Give the result, and the virtual time it took."""
    loop = SimLoop(seed)
    try:
        return loop.run_until_complete(work), loop.time()
    finally:
        loop.close()


async def race() -> list[int]:
    order: list[int] = []

    async def runner(number: int) -> None:
        await asyncio.sleep(1)
        order.append(number)

    async with asyncio.TaskGroup() as group:
        for number in range(6):
            group.create_task(runner(number))
    return order


def test_asyncio_has_the_private_parts_that_the_loop_stands_on() -> None:
    loop = SimLoop(0)
    assert all(hasattr(loop, name) for name in PRIVATE)
    handle, timer = loop.call_soon(print), loop.call_later(1, print)
    assert all(hasattr(handle, name) for name in ("_callback", "_context", "_cancelled", "_run"))
    assert all(hasattr(timer, name) for name in ("_when", "_scheduled"))
    # Its own queues are what callbacks come into.
    assert handle in loop._ready
    assert timer in loop._scheduled
    handle.cancel()
    timer.cancel()
    loop.close()


def test_a_step_of_a_task_says_whose_it_is() -> None:
    numbers = []

    class Watched(SimLoop):
        def _run_once(self) -> None:
            owners = (getattr(handle._callback, "__self__", None) for handle in self._ready)
            numbers.extend(owner.number for owner in owners if hasattr(owner, "number"))
            super()._run_once()

    async def twice() -> None:
        await asyncio.sleep(0)  # a step
        await asyncio.sleep(1)  # a wake-up

    loop = Watched(0)
    loop.run_until_complete(twice())
    loop.close()
    assert numbers == [1, 1, 1]


def test_years_pass_in_no_time() -> None:
    assert run(1, asyncio.sleep(1e8, "late")) == ("late", 1e8)


def test_the_order_follows_from_the_seed() -> None:
    orders = {tuple(run(seed, race())[0]) for seed in range(20)}
    assert len(orders) > 10
    assert all(sorted(order) == list(range(6)) for order in orders)
    assert run(3, race()) == run(3, race())


def test_threads_are_none() -> None:
    thread, seconds = run(1, asyncio.to_thread(threading.current_thread))
    assert thread is threading.main_thread()
    assert 0 < seconds < 0.1


def test_who_waits_for_nothing_is_stuck() -> None:
    with pytest.raises(StuckError, match="everybody waits"):
        run(1, asyncio.Event().wait())


def test_who_never_lets_time_pass_is_stuck() -> None:
    async def spin() -> None:
        loop = asyncio.get_running_loop()

        def again() -> None:
            loop.call_soon(again)

        again()
        await asyncio.Event().wait()

    with pytest.raises(StuckError, match="time does not go on"):
        run(1, spin())


def test_a_frozen_process_does_nothing_until_it_goes_on() -> None:
    async def freeze() -> list[float]:
        loop, process, ticks = asyncio.get_running_loop(), Process("frozen"), []

        async def tick() -> None:
            for _ in range(4):
                await asyncio.sleep(1)
                ticks.append(loop.time())

        task = loop.create_task(tick(), context=process.context.copy())
        await asyncio.sleep(1.5)
        process.frozen = True
        await asyncio.sleep(5)
        process.frozen = False
        await task
        return ticks

    assert run(1, freeze())[0] == [1.0, 6.5, 7.5, 8.5]
