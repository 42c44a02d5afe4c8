"""More speech than the engine can follow: partials get fewer, finals stay whole."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from tests.unit.transcriber.sound import (
    RULES,
    FakeEngine,
    ForgetfulDetector,
    cut,
    loud,
    quiet,
    sound,
    turn,
)

from steno_transcriber.domain.hypothesis import Again, Hypothesis, Window
from steno_transcriber.domain.samples import Samples
from steno_transcriber.recogniser import Partial, Span
from steno_transcriber.scheduler import Scheduler, ignore
from steno_transcriber.tools import Start, Tools
from steno_transcriber.window_recogniser import WindowRecogniser

SESSIONS = 6
CHUNK = 1_600


class SlowEngine(FakeEngine):
    """Takes some time for a batch, on a clock that stands still otherwise."""

    def __init__(self, seconds: float) -> None:
        super().__init__(max_batch=1)
        self.seconds = seconds
        self.now = 0.0
        self.done = asyncio.Event()

    async def decode(self, windows: Sequence[Window]) -> list[Hypothesis | Again]:
        answers = await super().decode(windows)
        until = self.now + self.seconds
        while self.now < until:
            self.done.clear()
            await self.done.wait()
        return answers

    async def pass_time(self, seconds: float) -> None:
        for _ in range(10):
            self.now += seconds / 10
            self.done.set()
            await turn()


def speech(seed: int) -> Samples:
    return sound(
        *(piece for n in range(3) for piece in (loud(40_000, seed + n), quiet(12_000, seed + n)))
    )


class Session:
    """One client: its audio comes in real time, whether the engine follows or not."""

    def __init__(self, number: int, tools: Tools) -> None:
        self.events: list[Partial | Span] = []
        self.recogniser = WindowRecogniser(Start(f"s{number}"), self.emit, tools)
        self.chunks = cut(speech(10 * number), [CHUNK] * 100)

    async def emit(self, event: Partial | Span) -> None:
        self.events.append(event)

    async def run(self, arrived: asyncio.Condition, ticks: list[int]) -> None:
        heard = 0
        while heard < len(self.chunks):
            async with arrived:
                while ticks[0] <= heard:
                    await arrived.wait()
            piece = sound(*self.chunks[heard : ticks[0]])
            heard = ticks[0]
            await self.recogniser.feed(piece)
        await self.recogniser.flush()
        await self.recogniser.aclose()

    @property
    def spans(self) -> list[Span]:
        return [replace(e, processing_ms=0) for e in self.events if isinstance(e, Span)]

    @property
    def partials(self) -> int:
        return sum(isinstance(event, Partial) for event in self.events)


async def heard(seconds: float, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Session], float]:
    """Serve all sessions with an engine that takes so long for each window."""
    engine = SlowEngine(seconds)
    arrived, ticks = asyncio.Condition(), [0]
    with monkeypatch.context() as patch, ThreadPoolExecutor(1) as executor:
        patch.setattr(asyncio.get_running_loop(), "time", lambda: engine.now)
        async with Scheduler(engine) as scheduler, asyncio.TaskGroup() as tasks:
            tools = Tools(
                scheduler.decode, ForgetfulDetector, executor, RULES, 3_200, scheduler.pace, ignore
            )
            sessions = [Session(number, tools) for number in range(SESSIONS)]
            running = [tasks.create_task(each.run(arrived, ticks)) for each in sessions]
            while not all(task.done() for task in running):
                async with arrived:
                    ticks[0] += 1
                    arrived.notify_all()
                # The detector's thread is real: it is let finish.
                await asyncio.wrap_future(executor.submit(int))
                await engine.pass_time(CHUNK / 16_000)
        stretch = scheduler.pace.stretch
    return sessions, stretch


async def test_under_overload_partials_get_fewer_and_finals_stay_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    easy, _ = await heard(0.001, monkeypatch)
    hard, stretch = await heard(0.2, monkeypatch)
    for one, other in zip(easy, hard, strict=True):
        finals = [span for span in one.spans if span.hypothesis]
        assert len(finals) == 3
        assert other.spans == one.spans
        assert [span.start for span in other.spans] == sorted(span.start for span in other.spans)
    assert stretch > 1
    partials = [sum(each.partials for each in sessions) for sessions in (easy, hard)]
    assert partials[1] < partials[0] / 3
