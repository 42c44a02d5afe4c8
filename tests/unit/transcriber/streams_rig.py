"""A recogniser on streams, on virtual time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Executor
from dataclasses import replace
from typing import cast

import numpy as np
from tests.simulation.virtual_time import SimLoop

from steno_common.units import SAMPLE_RATE
from steno_transcriber.domain.samples import Samples
from steno_transcriber.domain.scan import SpeechProbability
from steno_transcriber.engines.base import StreamEngine
from steno_transcriber.engines.numbers import phrase, silence
from steno_transcriber.recogniser import Emit, Partial, Span
from steno_transcriber.speech import start_loudness
from steno_transcriber.stream_recogniser import StreamRecogniser
from steno_transcriber.streams import Streams
from steno_transcriber.tools import Start, StreamTools


class Sink:
    """Keeps the events, and refuses all after `until` spans."""

    def __init__(self, error: Exception | None = None, until: int = 10**9) -> None:
        self.events: list[Partial | Span] = []
        self.error, self.until = error, until

    async def __call__(self, event: Partial | Span) -> None:
        await asyncio.sleep(0.001)  # a commit takes a moment
        if self.error is not None and len(self.spans) >= self.until:
            raise self.error
        self.events.append(event)

    @property
    def spans(self) -> list[Span]:
        return [replace(each, processing_ms=0) for each in self.events if isinstance(each, Span)]

    @property
    def partials(self) -> list[Partial]:
        return [each for each in self.events if isinstance(each, Partial)]

    @property
    def texts(self) -> list[str]:
        return [each.hypothesis.text for each in self.spans if each.hypothesis]

    @property
    def words(self) -> list[str]:
        return " ".join(self.texts).split()


def recogniser(
    engine: StreamEngine,
    sink: Emit,
    start: Start | None = None,
    detector: Callable[[], SpeechProbability] = start_loudness,
) -> StreamRecogniser:
    # The virtual loop runs what is meant for a thread by itself.
    no_executor = cast("Executor", None)
    tools = StreamTools(Streams(engine), detector, no_executor, chance=lambda: 1.0)
    return StreamRecogniser(start or Start("session"), sink, tools)


def speech(*phrases: Iterable[int], pause: float = 1.0) -> Samples:
    """Write phrases with a pause behind each."""
    gap = silence(round(pause * SAMPLE_RATE))
    return np.concatenate([piece for numbers in phrases for piece in (phrase(numbers), gap)])


async def live(held: StreamRecogniser, audio: Samples, piece: int = 1_600) -> None:
    """Feed audio as fast as it is spoken."""
    clock = asyncio.get_running_loop().time
    begun = clock()
    for at in range(0, len(audio), piece):
        await asyncio.sleep(max(0.0, begun + at / SAMPLE_RATE - clock()))
        await held.feed(audio[at : at + piece])


async def heard(held: StreamRecogniser, audio: Samples) -> None:
    """Feed audio as fast as it is spoken, to the end."""
    await live(held, audio)
    await held.flush()


def simulated(scenario: Callable[[], Awaitable[None]], seed: object = 1) -> float:
    """Run a scenario on virtual time; nothing of it may stay behind. Gives the seconds it took."""
    loop = SimLoop(seed)

    async def main() -> None:
        async with asyncio.timeout(3_600):
            await scenario()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"left behind: {left}"

    try:
        loop.run_until_complete(main())
        assert not loop.faults
        return loop.time()
    finally:
        loop.close()


def recognise(
    audio: Samples,
    engine: StreamEngine,
    sink: Emit,
    start: Start | None = None,
    *,
    detector: Callable[[], SpeechProbability] = start_loudness,
) -> None:
    """Have a whole recording heard as fast as it is spoken, on virtual time."""

    async def scenario() -> None:
        held = recogniser(engine, sink, start, detector)
        await heard(held, audio)
        await held.aclose()

    simulated(scenario)


def check_tiles(spans: list[Span], first: int, last: int) -> None:
    """Spans follow each other without a hole; bounds and words lie within them."""
    position = first
    for span in spans:
        assert span.start == position
        assert span.start < span.end or span.reason == "engine_failed"
        assert span.start <= span.speech_start <= span.speech_end <= span.end
        for word in span.hypothesis.words if span.hypothesis else ():
            assert span.start <= word.start <= word.end <= span.end
        position = span.end
    assert position == last
