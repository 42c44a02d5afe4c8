"""A stream engine is somebody else's code: whatever it does wrong is an error of the engine."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from math import inf, nan

import numpy as np
import pytest
from tests.unit.transcriber.streams_fake import FakeEngine, FakeStream
from tests.unit.transcriber.streams_rig import Sink, recogniser, simulated, speech

from steno_common.messages import Word
from steno_transcriber.domain.hypothesis import Hypothesis, Options, placed
from steno_transcriber.domain.results import HeardWord, Result
from steno_transcriber.domain.samples import Samples
from steno_transcriber.engines.base import EngineAway, EngineError, EngineRefused, Stream
from steno_transcriber.engines.guarded import GuardedEngine


class Broken(FakeEngine):
    """Raises an error wherever it is asked to."""

    def __init__(self, error: Exception, *where: str) -> None:
        super().__init__()
        self.error, self.where = error, where

    def fail(self, where: str) -> None:
        if where in self.where:
            raise self.error

    async def open(self, options: Options) -> FakeStream:
        self.fail("open")
        await super().open(options)
        return BrokenStream(self)


class BrokenStream(FakeStream):
    engine: Broken

    def __init__(self, engine: Broken) -> None:
        super().__init__(engine, engine.streams[-1].plan, len(engine.streams))

    async def send(self, audio: Samples) -> None:
        self.engine.fail("send")
        await super().send(audio)

    async def finish(self) -> None:
        self.engine.fail("finish")
        await super().finish()

    async def results(self) -> AsyncIterator[Result]:
        self.engine.fail("results")
        async for result in super().results():
            yield result

    async def aclose(self) -> None:
        await super().aclose()
        self.engine.fail("aclose")


async def first_result(stream: Stream) -> None:
    async for _ in stream.results():
        return


CALLS: dict[str, Callable[[Stream], Awaitable[None]]] = {
    "send": lambda stream: stream.send(np.zeros(9, np.int16)),
    "finish": lambda stream: stream.finish(),
    "results": first_result,
    "aclose": lambda stream: stream.aclose(),
}


@pytest.mark.parametrize("where", ["open", *CALLS])
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (AttributeError("None has no attribute"), EngineError),
        (KeyError("Items"), EngineError),
        (ConnectionResetError("reset"), EngineAway),
        (TimeoutError(), EngineAway),
        (EngineRefused("no"), EngineRefused),
    ],
    ids=["of its code", "of what it read", "of the network", "of time", "its own"],
)
async def test_whatever_is_raised_says_what_becomes_of_the_stream(
    where: str, error: Exception, kind: type[EngineError]
) -> None:
    engine = GuardedEngine(Broken(error, where))

    async def called() -> None:
        stream = await engine.open(Options())
        await CALLS[where](stream)

    with pytest.raises(EngineError) as raised:
        await called()
    assert type(raised.value) is kind
    assert raised.value.message


class Saying(FakeEngine):
    """Says one result on each stream, instead of what it hears."""

    def __init__(self, result: Result) -> None:
        super().__init__()
        self.result = result

    async def open(self, options: Options) -> FakeStream:
        stream = await super().open(options)
        stream.tell(self.result)
        return stream


@pytest.mark.parametrize("time", [nan, inf, -inf])
@pytest.mark.parametrize("place", range(4))
async def test_a_time_that_is_no_number_is_a_fault(time: float, place: int) -> None:
    times = [1.0] * 4
    times[place] = time
    word = HeardWord("word", times[2], times[3])
    engine = GuardedEngine(Saying(Result("a", times[0], times[1], (word,))))
    with pytest.raises(EngineError, match="no number"):
        await first_result(await engine.open(Options()))


@pytest.mark.parametrize(
    ("said", "kept"), [(nan, 0.0), (-0.1, 0.0), (0.5, 0.5), (1.5, 1.0), (inf, 1.0)]
)
async def test_confidences_are_from_0_to_1_whatever_an_engine_says(
    said: float, kept: float
) -> None:
    engine = GuardedEngine(Saying(Result("a", 0.0, 1.0, (HeardWord("word", 0.0, 1.0, said),))))
    stream = await engine.open(Options())
    result = await anext(stream.results())
    assert [word.confidence for word in result.words] == [kept]

    window = placed(Hypothesis("word", (Word("word", 0, 9, said),), confidence=said), 5, 9)
    assert (window.confidence, window.words[0].confidence) == (kept, kept)


def test_a_session_survives_an_engine_that_breaks_now_and_then() -> None:
    engine, sink = Broken(AttributeError("None has no attribute")), Sink()

    async def scenario() -> None:
        held = recogniser(GuardedEngine(engine), sink)
        engine.where = ("results",)
        await held.feed(speech([1, 2]))
        await asyncio.sleep(0.5)
        engine.where = ()
        await held.feed(speech([3]))
        await held.flush()
        await held.aclose()

    simulated(scenario)
    assert sink.words == ["1", "2", "3"]
    assert len(engine.streams) > 1
