"""A stream that cannot be closed keeps no session, but its place for as long as it may be open."""

import asyncio
import logging
from dataclasses import replace

import pytest
from prometheus_client import REGISTRY
from tests.unit.transcriber.streams_fake import RULES, FakeEngine, FakeStream, Plan
from tests.unit.transcriber.streams_rig import (
    Sink,
    check_tiles,
    heard,
    recogniser,
    simulated,
    speech,
)

from steno_transcriber.domain.hypothesis import Options
from steno_transcriber.stream_recogniser import StreamRecogniser

TALK = speech([1, 2, 3], [4, 5], [6])
WORDS = ["1", "2", "3", "4", "5", "6"]
ONE_PLACE = replace(RULES, max_streams=1)


class HangingStream(FakeStream):
    """Hangs as its engine is told."""

    engine: "HangingEngine"

    async def finish(self) -> None:
        if self.engine.hangs_in == "finish" and self.number == 0:
            await asyncio.Event().wait()
        await super().finish()

    async def aclose(self) -> None:
        await super().aclose()
        if self.engine.hangs_in != "aclose":
            return
        while not self.engine.let_go.is_set():
            try:
                await self.engine.let_go.wait()
            except asyncio.CancelledError:
                if not self.engine.stubborn:
                    raise


class HangingEngine(FakeEngine):
    """Streams that hang, until they are cancelled or, if it is stubborn, until they may end."""

    def __init__(self, *plans: Plan, hangs_in: str, stubborn: bool = False) -> None:
        super().__init__(*plans, rules=ONE_PLACE)
        self.hangs_in, self.stubborn = hangs_in, stubborn
        self.let_go = asyncio.Event()

    async def open(self, options: Options) -> FakeStream:
        stream = await super().open(options)
        stream.__class__ = HangingStream
        return stream


def measured(name: str) -> float:
    return REGISTRY.get_sample_value(f"steno_transcriber_{name}") or 0.0


async def hear(held: StreamRecogniser) -> None:
    await heard(held, TALK)
    await held.aclose()


def test_a_session_goes_on_though_none_of_its_streams_can_be_closed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine, sink = HangingEngine(Plan(lasts=28_000), hangs_in="aclose"), Sink()
    abandoned, streams = measured("streams_abandoned_total"), measured("streams")

    async def scenario() -> None:
        await hear(recogniser(engine, sink))

    with caplog.at_level(logging.WARNING):
        simulated(scenario)
    assert sink.words == WORDS
    check_tiles(sink.spans, 0, len(TALK))
    # The only place was free for the second stream, as soon as the first one was cancelled.
    assert len(engine.streams) == 2
    assert measured("streams_abandoned_total") - abandoned == 2
    assert measured("streams") == streams
    assert [record.message for record in caplog.records].count("a stream was abandoned") == 2


def test_what_is_not_closed_even_when_cancelled_keeps_its_place_until_it_is() -> None:
    engine = HangingEngine(hangs_in="aclose", stubborn=True)
    first, second, third = Sink(), Sink(), Sink()
    streams = measured("streams")

    async def scenario() -> None:
        held = [recogniser(engine, sink) for sink in (first, second, third)]
        for each in held[1:]:
            each._tools = held[0]._tools  # one pool for all
        await hear(held[0])
        assert measured("streams") - streams == 1
        await hear(held[1])
        assert len(engine.streams) == 1
        engine.let_go.set()
        await hear(held[2])
        assert measured("streams") == streams

    simulated(scenario)
    assert first.words == third.words == WORDS
    assert second.words == []
    assert {span.reason for span in second.spans} == {"engine_failed"}


def test_a_session_that_is_cancelled_while_its_stream_is_closed_leaves_nothing() -> None:
    engine, sink = HangingEngine(hangs_in="aclose"), Sink()
    streams = measured("streams")

    async def scenario() -> None:
        held = recogniser(engine, sink)
        await held.feed(TALK[:1_600])
        await asyncio.sleep(1)
        closing = asyncio.create_task(held.aclose())
        await asyncio.sleep(0.1)
        assert not closing.done()
        assert held._task is not None
        held._task.cancel()
        await closing
        await asyncio.sleep(0.1)
        assert measured("streams") == streams

    simulated(scenario)


def test_a_stream_that_hangs_when_it_is_to_finish_is_taken_for_lost() -> None:
    engine, sink = HangingEngine(hangs_in="finish"), Sink()

    async def scenario() -> None:
        await hear(recogniser(engine, sink))

    simulated(scenario)
    assert sink.words == WORDS
    check_tiles(sink.spans, 0, len(TALK))
    assert len(engine.streams) == 2
