"""A stream engine in this process: it reads the numbers that audio carries, fails on order."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from steno_common.units import SAMPLE_RATE
from steno_transcriber.domain.hypothesis import Options
from steno_transcriber.domain.results import HeardWord, Result
from steno_transcriber.domain.samples import Samples
from steno_transcriber.domain.tiling import Patience
from steno_transcriber.engines.base import EngineAway, EngineError, StreamRules
from steno_transcriber.engines.numbers import Burst, read

PAUSE = 4_800
"""Silence that ends a segment: longer than what parts the words of a phrase."""

RULES = StreamRules(
    max_streams=2, connect_seconds=3.0, finish_seconds=4.0, pace=4.0, tries=4, patience=Patience()
)


@dataclass(frozen=True)
class Plan:
    """What becomes of one stream."""

    refused: EngineError | None = None
    """Instead of a stream."""
    opens: bool = True
    """False: opening it takes for ever."""
    lasts: int | None = None
    """Samples after which it is lost."""
    error: EngineError | None = field(default_factory=lambda: EngineAway("lost"))
    """How it is lost; None: it just ends."""
    ends: bool = True
    """False: it never says that it has said all."""
    says: bool = True
    """False: it hears no word."""
    late: float = 0.0
    """Seconds from what is said to its result."""
    doubles: bool = False
    """Whether it says every result twice, and says finals once more when the next one comes."""


class FakeStream:
    def __init__(self, engine: "FakeEngine", plan: Plan, number: int) -> None:
        self.engine, self.plan, self.number = engine, plan, number
        self.audio = np.empty(0, np.int16)
        self.times: list[float] = []
        """When each piece came."""
        self.closed = False
        self._said = 0
        self._last: Result | None = None
        self._results: asyncio.Queue[tuple[float, Result | EngineError | None]] = asyncio.Queue()

    async def send(self, audio: Samples) -> None:
        assert not self.closed
        self.times.append(asyncio.get_running_loop().time())
        self.audio = np.concatenate((self.audio, audio))
        lasts = self.plan.lasts
        if lasts is not None and len(self.audio) >= lasts:
            self.tell(self.plan.error)
            return
        self._say(ended=False)

    async def finish(self) -> None:
        self._say(ended=True)
        if self.plan.ends:
            self.tell(None)

    async def results(self) -> AsyncIterator[Result]:
        while True:
            due, result = await self._results.get()
            if (wait := due - asyncio.get_running_loop().time()) > 0:
                await asyncio.sleep(wait)
            if result is None:
                return
            if isinstance(result, EngineError):
                raise result
            yield result

    async def aclose(self) -> None:
        self.closed = True
        self.engine.open_now -= 1

    def _say(self, *, ended: bool) -> None:
        if not self.plan.says:
            return
        for phrase, whole in phrases(self.audio, self._said, ended=ended):
            result = self._result(phrase, final=whole)
            for _ in range(2 if self.plan.doubles else 1):
                self.tell(result)
            if whole:
                if self.plan.doubles and self._last is not None:
                    self.tell(self._last)
                    self.tell(replace(self._last, final=False))
                self._said, self._last = phrase[-1].end, result

    def tell(self, result: Result | EngineError | None) -> None:
        """Say a result, an error or the end, behind what was said before."""
        self._results.put_nowait((asyncio.get_running_loop().time() + self.plan.late, result))

    def _result(self, phrase: Sequence[Burst], *, final: bool) -> Result:
        words = tuple(
            HeardWord(
                "?" if burst.number is None else str(burst.number),
                burst.start / SAMPLE_RATE,
                burst.end / SAMPLE_RATE,
                0.9,
                stable=burst is not phrase[-1],
            )
            for burst in phrase
        )
        start, end = words[0].start, words[-1].end
        return Result(f"{self.number}-{phrase[0].start}", start, end, words, final, "en")


def phrases(audio: Samples, said: int, *, ended: bool) -> list[tuple[list[Burst], bool]]:
    """Give the phrases behind what was said, each with whether it is over."""
    found: list[list[Burst]] = []
    for burst in read(audio[said:]):
        moved = Burst(burst.number, burst.start + said, burst.end + said)
        if found and moved.start - found[-1][-1].end < PAUSE:
            found[-1].append(moved)
        else:
            found.append([moved])
    return [
        (phrase, ended or phrase is not found[-1] or len(audio) - phrase[-1].end >= PAUSE)
        for phrase in found
    ]


class FakeEngine:
    """Gives one stream a plan, as long as there are plans; then streams that last."""

    name = "fake"

    def __init__(self, *plans: Plan, rules: StreamRules = RULES) -> None:
        self.rules = rules
        self.plans = list(plans)
        self.streams: list[FakeStream] = []
        self.asked: list[Options] = []
        self.open_now = self.most_open = 0

    async def open(self, options: Options) -> FakeStream:
        self.asked.append(options)
        plan = self.plans.pop(0) if self.plans else Plan()
        if not plan.opens:
            await asyncio.Event().wait()
        if plan.refused is not None:
            raise plan.refused
        stream = FakeStream(self, plan, len(self.streams))
        self.streams.append(stream)
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        return stream

    async def aclose(self) -> None:
        """Nothing is open."""
