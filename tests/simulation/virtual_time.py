"""An event loop whose time is virtual and whose order follows from a seed.

Time stands still while anything is ready, then jumps to the next timer. What is ready together
runs in an order that the seed decides, whatever the order was in which it became ready: sets of
tasks, and so the addresses of objects, have no say in it. There are no sockets and no threads.
"""

import asyncio
import heapq
import random
from collections.abc import Callable, Coroutine
from typing import Any

from tests.simulation.processes import PROCESS, current

PRIVATE = ("_ready", "_scheduled", "_stopping", "_timer_cancelled_count")
"""Attributes of asyncio's own loop that this one stands on."""

MOST_TURNS_AT_ONCE = 20_000
"""So many turns without time going on are a loop without an end."""

THREAD_SECONDS = 0.01
"""Until a thread has done its work, at most."""


class StuckError(AssertionError):
    """Nothing can ever happen again, or something happens for ever."""


class SimTask(asyncio.Task):  # type: ignore[type-arg]
    """A task that says its place in the order of all tasks."""

    def __init__(self, coro: Coroutine[Any, Any, Any], number: int, **options: Any) -> None:
        self.number = number
        context = options.get("context")
        self.process = current() if context is None else context.get(PROCESS)
        super().__init__(coro, **options)

    def __hash__(self) -> int:
        return self.number


class SimLoop(asyncio.BaseEventLoop):
    """asyncio's loop on virtual time, which begins at 0."""

    def __init__(self, seed: object) -> None:
        super().__init__()
        self.draw = random.Random(f"{seed} schedule")
        self.now = 0.0
        self.turns = 0
        self.faults: list[str] = []
        self._tasks = 0
        self._turns_at_once = 0
        self._held: list[asyncio.Handle] = []
        """Of processes that are frozen."""
        self.set_task_factory(self._new_task)  # type: ignore[arg-type]
        self.set_exception_handler(self._note)

    def time(self) -> float:
        """Give virtual seconds."""
        return self.now

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        """Run what is meant for a thread here, a little later."""
        future, process = self.create_future(), current()

        def work() -> None:
            if process is not None and process.dead:
                return
            try:
                answer = func(*args)
            except Exception as error:  # noqa: BLE001 - it is the caller's
                if not future.done():
                    future.set_exception(error)
            else:
                if not future.done():
                    future.set_result(answer)

        self.call_later(self.draw.uniform(0, THREAD_SECONDS), work)
        return future

    def _new_task(self, _loop: Any, coro: Coroutine[Any, Any, Any], **options: Any) -> SimTask:
        self._tasks += 1
        return SimTask(coro, self._tasks, loop=self, **options)

    def _note(self, _loop: Any, context: dict[str, Any]) -> None:
        self.faults.append(f"{context.get('message')}: {context.get('exception')!r}")

    def _write_to_self(self) -> None:
        """Nobody sleeps in a selector who would have to be woken."""

    def _run_once(self) -> None:
        self._thaw()
        if not self._ready and not self._stopping:
            self._go_on_in_time()
        while self._scheduled and self._scheduled[0]._when <= self.now:
            timer = heapq.heappop(self._scheduled)
            timer._scheduled = False
            self._ready.append(timer)
        turn = [handle for handle in self._ready if not handle._cancelled]
        self._ready.clear()
        turn.sort(key=_place)
        self.draw.shuffle(turn)
        self.turns += 1
        self._turns_at_once += 1
        if self._turns_at_once > MOST_TURNS_AT_ONCE:
            raise StuckError("time does not go on")
        for handle in turn:
            if handle._cancelled:
                continue
            process = handle._context.get(PROCESS)
            if process is not None and process.frozen:
                self._held.append(handle)
            else:
                handle._run()

    def _thaw(self) -> None:
        if self._held:
            held, self._held = self._held, []
            for handle in held:
                process = handle._context.get(PROCESS)
                frozen = process is not None and process.frozen
                (self._held if frozen else self._ready).append(handle)

    def _go_on_in_time(self) -> None:
        while self._scheduled and self._scheduled[0]._cancelled:
            heapq.heappop(self._scheduled)._scheduled = False
        if not self._scheduled:
            raise StuckError("everybody waits for somebody else")
        self.now = max(self.now, self._scheduled[0]._when)
        self._turns_at_once = 0


def _place(handle: asyncio.Handle) -> int:
    """Give the place of a callback in the order before the shuffle: tasks by their number."""
    return getattr(getattr(handle._callback, "__self__", None), "number", 0)
