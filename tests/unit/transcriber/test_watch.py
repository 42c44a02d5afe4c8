"""What tries of an engine say of it, and who leaves once it is known to be away."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import pytest
from tests.unit.transcriber.sound import FakeEngine as FakeWindowEngine
from tests.unit.transcriber.streams_fake import RULES, FakeEngine, Plan
from tests.unit.transcriber.streams_rig import (
    Sink,
    check_tiles,
    heard,
    recogniser,
    simulated,
    speech,
)

from steno_transcriber.domain.breaker import Breaker
from steno_transcriber.domain.hypothesis import Again, Hypothesis, Options, Request, Window
from steno_transcriber.engines.base import (
    EngineAway,
    EngineDenied,
    EngineError,
    EngineLimited,
    EngineRefused,
    EngineUnavailable,
)
from steno_transcriber.recogniser import Emit, Partial, Span
from steno_transcriber.scheduler import Scheduler
from steno_transcriber.streams import Streams
from steno_transcriber.watch import Watch

TALK = speech([1, 2, 3], [4, 5])


class Clock:
    """Each look at it takes a second."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def watch() -> Watch:
    return Watch("cloud", Clock())


def fail(watch: Watch, error: EngineError, times: int = 3) -> None:
    for _ in range(times):
        with pytest.raises(EngineError), watch.tried():
            raise error


def lost_in_the_middle(watch: Watch) -> None:
    with suppress(EngineAway), watch.tried() as works:
        works()
        raise EngineAway("lost")


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (EngineError("broken"), True),
        (EngineAway("no answer"), True),
        (EngineUnavailable("no model"), True),
        (EngineLimited("25 streams"), True),
        (EngineDenied("no such key"), True),
        (EngineRefused("no such language"), False),
    ],
)
def test_what_is_about_one_session_says_nothing_of_the_engine(
    error: EngineError, away: bool
) -> None:
    watched = watch()
    fail(watched, error)
    assert watched.away == away


def test_a_try_that_ends_well_or_has_worked_before_it_fails_says_that_the_engine_is_there() -> None:
    watched = watch()
    fail(watched, EngineAway("gone"), 2)
    with watched.tried():
        pass
    fail(watched, EngineAway("gone"), 2)
    lost_in_the_middle(watched)
    fail(watched, EngineAway("gone"), 2)
    assert not watched.away
    fail(watched, EngineAway("gone"), 1)
    assert watched.away


def test_a_stream_that_has_worked_says_so_once() -> None:
    watched = watch()
    with watched.tried() as works:
        works()
        fail(watched, EngineLimited("25 streams"))
        works()
        assert watched.away
    assert watched.away


async def test_a_try_that_is_cancelled_says_nothing() -> None:
    watched = watch()
    fail(watched, EngineAway("gone"), 2)
    with pytest.raises(asyncio.CancelledError), watched.tried():
        raise asyncio.CancelledError
    assert not watched.away
    fail(watched, EngineAway("gone"), 1)
    assert watched.away


def test_each_change_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    watched = watch()
    with caplog.at_level(logging.INFO):
        fail(watched, EngineAway("no answer"), 5)
        for _ in range(2):
            with watched.tried():
                pass
    assert caplog.messages == ["engine cloud is away", "engine cloud is back"]


async def test_streams_that_an_own_limit_keeps_waiting_say_nothing() -> None:
    engine = FakeEngine(rules=replace(RULES, max_streams=1, wait_seconds=0.001))
    streams = Streams(engine)
    streams.watch.clock = Clock()
    async with streams.open(Options()):
        for _ in range(4):
            with pytest.raises(EngineLimited):
                async with streams.open(Options()):
                    pass
    assert not streams.watch.away


async def test_a_window_engine_that_fails_for_all_is_away_until_it_decodes_one() -> None:
    class Broken(FakeWindowEngine):
        broken = True

        async def decode(self, windows: Sequence[Window]) -> list[Hypothesis | Again]:
            if self.broken:
                raise EngineError("out of memory")
            return await super().decode(windows)

    engine, asked = Broken(), Window(speech([1]), "", Options(), final=True)
    async with Scheduler(engine) as scheduler:
        scheduler.watch.clock = Clock()
        for _ in range(3):
            assert not scheduler.watch.away
            with pytest.raises(EngineError):
                await scheduler.decode("a", Request(asked))
        assert scheduler.watch.away
        engine.broken = False
        await scheduler.decode("a", Request(asked))
        assert not scheduler.watch.away


class Elsewhere:
    """Takes a session away where it may go on with another engine."""

    def __init__(self) -> None:
        self.border: int | None = None

    async def __call__(self, event: Partial | Span) -> None:
        if isinstance(event, Span) and event.reason == "engine_failed":
            self.border = event.start
            raise LookupError


def later(emit: Emit) -> int:
    """Let a session begin where another has found the engine away; count its streams."""
    engine = FakeEngine(*[Plan(refused=EngineAway("away"))] * 99)
    asked = []

    async def scenario() -> None:
        first, second = recogniser(engine, Sink()), recogniser(engine, emit)
        second._tools = first._tools
        await heard(first, TALK)
        assert first._tools.streams.watch.away
        asked.append(len(engine.asked))
        with suppress(LookupError):
            await heard(second, TALK)
        asked.append(len(engine.asked))
        for each in (first, second):
            await each.aclose()

    simulated(scenario)
    return asked[1] - asked[0]


def test_a_session_leaves_an_engine_that_is_away_with_its_first_loss_if_another_goes_on() -> None:
    elsewhere = Elsewhere()
    assert later(elsewhere) == 1
    assert elsewhere.border == 0


def test_a_session_without_another_engine_tries_one_that_is_away_as_often_as_ever() -> None:
    sink = Sink()
    assert later(sink) == RULES.tries
    failed = [span for span in sink.spans if span.reason == "engine_failed"]
    assert any(span.speech_start < span.speech_end for span in failed)
    check_tiles(sink.spans, 0, len(TALK))


def test_streams_that_break_off_behind_their_first_words_do_not_say_that_the_engine_is_away() -> (
    None
):
    engine, sink = FakeEngine(*[Plan(lasts=28_000)] * 3), Sink()

    async def scenario() -> None:
        held = recogniser(engine, sink)
        await heard(held, TALK)
        assert held._tools.streams.watch._breaker == Breaker()
        await held.aclose()

    simulated(scenario)
    assert sink.texts == ["1 2 3", "4 5"]
