"""Repeating what may be repeated, under a clock that jumps."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from steno_common.errors import StoreError, StoreUnavailableError
from steno_common.store.link import patiently


class JumpingLoop(asyncio.SelectorEventLoop):
    """A loop that never waits: its clock jumps to the next timer."""

    def __init__(self) -> None:
        super().__init__(_Jumping(self))
        self.now = 1000.0

    def time(self) -> float:
        """Give the time of the test."""
        return self.now


class _Jumping(selectors.SelectSelector):
    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._loop.now += max(timeout or 0, 0)
        return super().select(0)


class Away:
    """A store that answers after some failures; remembers when it was asked."""

    def __init__(self, failures: int, error: Exception | None = None, takes: float = 0) -> None:
        self.failures = failures
        self.error = error or StoreUnavailableError("away")
        self.takes = takes
        self.asked: list[float] = []

    async def __call__(self) -> str:
        self.asked.append(round(asyncio.get_running_loop().time() - 1000, 3))
        await asyncio.sleep(self.takes)
        if len(self.asked) <= self.failures:
            raise self.error
        return "answer"


def run(work: Callable[[], Awaitable[Any]]) -> Any:
    """Run something under a clock of its own."""

    async def main() -> Any:
        return await work()

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(main())


def test_what_succeeds_is_asked_once() -> None:
    away = Away(0)
    assert run(lambda: patiently(away)) == "answer"
    assert away.asked == [0]


def test_the_pauses_double_up_to_a_second() -> None:
    away = Away(8)
    assert run(lambda: patiently(away)) == "answer"
    assert away.asked == [0, 0.05, 0.15, 0.35, 0.75, 1.55, 2.55, 3.55, 4.55]


def test_it_goes_on_for_ever_without_a_limit() -> None:
    away = Away(1000)
    assert run(lambda: patiently(away)) == "answer"
    assert away.asked[-1] == 996.55


def test_it_gives_up_rather_than_pause_beyond_its_limit() -> None:
    away = Away(1000)
    with pytest.raises(StoreUnavailableError):
        run(lambda: patiently(away, 3.0))
    assert away.asked == [0, 0.05, 0.15, 0.35, 0.75, 1.55, 2.55]


def test_it_asks_once_even_without_any_time() -> None:
    away = Away(1)
    with pytest.raises(StoreUnavailableError):
        run(lambda: patiently(away, 0))
    assert away.asked == [0]


def test_the_time_that_a_call_takes_counts() -> None:
    away = Away(1000, takes=2)
    with pytest.raises(StoreUnavailableError):
        run(lambda: patiently(away, 5))
    assert away.asked == [0, 2.05, 4.15]


def test_another_error_is_raised_at_once() -> None:
    away = Away(1, StoreError("refused"))
    with pytest.raises(StoreError, match="refused"):
        run(lambda: patiently(away, 60))
    assert away.asked == [0]


def test_it_can_be_cancelled_while_it_waits() -> None:
    away = Away(1000)

    async def cancelled() -> None:
        async with asyncio.timeout(1.0):
            await patiently(away)

    with pytest.raises(TimeoutError):
        run(cancelled)
    assert away.asked == [0, 0.05, 0.15, 0.35, 0.75]
