"""Queue between the recognisers of many sessions and one engine."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from types import TracebackType
from typing import Literal, Self

from steno_common import tracing
from steno_transcriber import traces
from steno_transcriber.domain.batching import Room, Ticket, Urgency, choose
from steno_transcriber.domain.cadence import Pace
from steno_transcriber.domain.hypothesis import Again, Hypothesis, Request, Window
from steno_transcriber.engines.base import EngineError, WindowEngine
from steno_transcriber.watch import Watch

Measure = Literal[
    "batch_windows", "batch_seconds", "final_wait_seconds", "partial_wait_seconds",
    "final_seconds", "partial_seconds", "final_padded_seconds", "partial_padded_seconds",
    "partials_due",
    "partial_failures", "final_retries", "final_failures",
]  # fmt: skip
"""`final_seconds`, `partial_seconds`: the time of a batch, shared among its windows.
`final_padded_seconds`, `partial_padded_seconds`: the length at which a window is decoded."""

Observe = Callable[[Measure, float], None]
"""Takes one value of one measure."""


def ignore(_measure: Measure, _value: float) -> None:
    """Observe nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """A request in the queue. What it asks for may be replaced, its turn stays."""

    number: int
    session: str
    request: Request
    answer: asyncio.Future[Hypothesis]
    since: float
    trace: str


def _urgency(request: Request) -> Urgency:
    window = request.window
    if window.final:
        return Urgency.EARLY_FINAL if request.early else Urgency.FINAL
    return Urgency.FIRST_PARTIAL if window.first else Urgency.PARTIAL


class Scheduler:
    """Forms batches of waiting windows: finals first, partials where there is room.

    A session has at most one final and one partial waiting, so the queue is as bounded as the
    number of sessions. No batch is held back to be filled: the engine is never idle while a window
    waits. Use as a context manager; leaving it gives up what is still running.
    """

    def __init__(self, engine: WindowEngine, observe: Observe = ignore) -> None:
        self._engine = engine
        self.observe = observe
        self.watch = Watch(engine.name)
        self.pace = Pace()
        self._waiting: dict[int, _Waiting] = {}
        self._numbers = count()
        self._free = engine.concurrency
        self._open = False
        self._group = asyncio.TaskGroup()
        self._batches: set[asyncio.Task[None]] = set()
        self._called: dict[int, float] = {}
        """When each call began that the engine has not answered."""

    @property
    def waiting(self) -> int:
        """Windows that no batch has taken yet."""
        return len(self._waiting)

    @property
    def busy_seconds(self) -> float:
        """How long the engine has owed the oldest of its answers, 0 if it owes none."""
        if not self._called:
            return 0.0
        return asyncio.get_running_loop().time() - min(self._called.values())

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._open = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open = False
        for task in self._batches:
            task.cancel()
        for waiting in self._waiting.values():
            waiting.answer.cancel()
        await self._group.__aexit__(kind, error, traceback)

    async def decode(self, session: str, request: Request) -> Hypothesis:
        """Wait for the hypothesis of a window; a caller that is cancelled leaves the queue.

        Raises EngineError.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(next(self._numbers), session, request, loop.create_future(),
                           loop.time(), tracing.traceparent())  # fmt: skip
        self._waiting[waiting.number] = waiting
        self._dispatch()
        try:
            return await waiting.answer
        finally:
            self._waiting.pop(waiting.number, None)

    def _dispatch(self) -> None:
        while self._open and self._free and self._waiting:
            engine = self._engine
            room = Room(engine.max_batch, engine.max_partials, self._free, engine.reserve)
            chosen = choose((self._ticket(each) for each in self._waiting.values()), room)
            if not chosen:
                return
            batch = [self._waiting.pop(ticket.number) for ticket in chosen]
            for each in batch:
                each.request.taken = True
            self._free -= 1
            task = self._group.create_task(self._run(batch), name=f"batch {chosen[0].number}")
            self._batches.add(task)
            task.add_done_callback(self._batches.discard)

    def _ticket(self, waiting: _Waiting) -> Ticket:
        window = waiting.request.window
        group = self._engine.group(window)
        return Ticket(waiting.number, waiting.session, _urgency(waiting.request), group)

    async def _run(self, batch: Sequence[_Waiting]) -> None:
        clock = asyncio.get_running_loop().time
        started = clock()
        for each in batch:
            each.request.work = (started, started)
            wait, padded = started - each.since, self._engine.padded_seconds(each.request.window)
            if each.request.window.final:
                self.observe("final_wait_seconds", wait)
                self.observe("final_padded_seconds", padded)
            else:
                self.pace.observe(wait)
                self.observe("partial_wait_seconds", wait)
                self.observe("partial_padded_seconds", padded)
        self.observe("batch_windows", len(batch))
        waited = started - min(each.since for each in batch)
        try:
            with traces.batch([each.trace for each in batch],
                              [each.request.window for each in batch],
                              waited=waited, engine=self._engine.name):  # fmt: skip
                await self._answer(batch)
        finally:
            # Nobody may wait for an answer that a cancelled batch no longer gives.
            for each in batch:
                if each.number not in self._waiting:
                    each.answer.cancel()
        seconds = clock() - started
        self.observe("batch_seconds", seconds)
        for each in batch:
            kind: Measure = "final_seconds" if each.request.window.final else "partial_seconds"
            self.observe(kind, seconds / len(batch))
        self._free += 1
        self._dispatch()

    async def _called_with(self, windows: Sequence[Window]) -> list[Hypothesis | Again]:
        number = next(self._numbers)
        self._called[number] = asyncio.get_running_loop().time()
        try:
            with self.watch.tried():
                return await self._engine.decode(windows)
        finally:
            del self._called[number]

    async def _answer(self, batch: Sequence[_Waiting]) -> None:
        clock = asyncio.get_running_loop().time
        started = clock()
        try:
            answers = await self._called_with([each.request.window for each in batch])
        except EngineError as error:
            tracing.failed(error)
            if len(batch) == 1:
                if not batch[0].answer.done():
                    batch[0].answer.set_exception(error)
                return
            # What becomes of a window must not hang on its neighbours: each is tried alone.
            for each in batch:
                await self._answer([each])
            return
        for each, answer in zip(batch, answers, strict=True):
            each.request.engine_seconds += (clock() - started) / len(batch)
            if each.answer.done():
                continue
            if isinstance(answer, Again):
                # It keeps its turn; those it shared the batch with need not wait for it.
                each.request.window = answer.window
                self._waiting[each.number] = replace(each, since=clock())
            else:
                each.request.work = each.request.work[0], clock()
                each.answer.set_result(answer)
