"""Queue between the recognisers of many sessions and one engine."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from types import TracebackType
from typing import Literal, Self

from steno_transcriber.domain.batching import Room, Ticket, choose
from steno_transcriber.domain.hypothesis import Hypothesis, Window
from steno_transcriber.engines.base import EngineError, WindowEngine

Measure = Literal[
    "batch_windows", "batch_seconds", "final_wait_seconds", "partial_wait_seconds",
    "partial_failures", "final_retries", "final_failures",
]  # fmt: skip
Observe = Callable[[Measure, float], None]
"""Takes one value of one measure."""


def ignore(_measure: Measure, _value: float) -> None:
    """Observe nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    ticket: Ticket
    window: Window
    answer: asyncio.Future[Hypothesis]
    since: float


class Scheduler:
    """Forms batches of waiting windows: finals first, partials where there is room.

    A session has at most one final and one partial waiting, so the queue is as bounded as the
    number of sessions. Use as a context manager; leaving it gives up what is still running.
    """

    def __init__(self, engine: WindowEngine, observe: Observe = ignore) -> None:
        self._engine = engine
        self.observe = observe
        self._waiting: dict[int, _Request] = {}
        self._numbers = count()
        self._free = engine.concurrency
        self._open = False
        self._group = asyncio.TaskGroup()
        self._batches: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        """Windows that no batch has taken yet."""
        return len(self._waiting)

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
        for request in self._waiting.values():
            request.answer.cancel()
        await self._group.__aexit__(kind, error, traceback)

    async def decode(self, session: str, window: Window) -> Hypothesis:
        """Wait for the hypothesis of a window; a caller that is cancelled leaves the queue.

        Raises EngineError.
        """
        loop = asyncio.get_running_loop()
        ticket = Ticket(next(self._numbers), session, window.final)
        request = _Request(ticket, window, loop.create_future(), loop.time())
        self._waiting[ticket.number] = request
        self._dispatch()
        try:
            return await request.answer
        finally:
            self._waiting.pop(ticket.number, None)

    def _dispatch(self) -> None:
        while self._open:
            room = Room(self._engine.max_batch, self._free, self._engine.concurrency)
            chosen = choose((request.ticket for request in self._waiting.values()), room)
            if not chosen:
                return
            batch = [self._waiting.pop(ticket.number) for ticket in chosen]
            self._free -= 1
            task = self._group.create_task(self._run(batch), name=f"batch {chosen[0].number}")
            self._batches.add(task)
            task.add_done_callback(self._batches.discard)

    async def _run(self, batch: Sequence[_Request]) -> None:
        clock = asyncio.get_running_loop().time
        started = clock()
        for request in batch:
            kind: Measure = "final_wait_seconds" if request.window.final else "partial_wait_seconds"
            self.observe(kind, started - request.since)
        self.observe("batch_windows", len(batch))
        try:
            await self._answer(batch)
        finally:
            # Nobody may wait for an answer that a cancelled batch no longer gives.
            for request in batch:
                request.answer.cancel()
        self.observe("batch_seconds", clock() - started)
        self._free += 1
        self._dispatch()

    async def _answer(self, batch: Sequence[_Request]) -> None:
        try:
            hypotheses = await self._engine.decode([request.window for request in batch])
        except EngineError as error:
            if len(batch) == 1:
                if not batch[0].answer.done():
                    batch[0].answer.set_exception(error)
                return
            # What becomes of a window must not hang on its neighbours: each is tried alone.
            for request in batch:
                await self._answer([request])
            return
        for request, hypothesis in zip(batch, hypotheses, strict=True):
            if not request.answer.done():
                request.answer.set_result(hypothesis)
