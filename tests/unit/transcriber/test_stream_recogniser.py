"""A recogniser on streams: it tiles the samples and says each word once, whatever is lost."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.unit.transcriber.streams_fake import RULES, FakeEngine, FakeStream, Plan
from tests.unit.transcriber.streams_rig import (
    Sink,
    check_tiles,
    heard,
    live,
    recognise,
    recogniser,
    simulated,
    speech,
)

from steno_common.messages import Word
from steno_transcriber.domain.context import decode_context
from steno_transcriber.domain.hypothesis import Options
from steno_transcriber.domain.samples import Samples
from steno_transcriber.engines.base import (
    EngineAway,
    EngineError,
    EngineLimited,
    EngineRefused,
)
from steno_transcriber.engines.numbers import WORD, silence
from steno_transcriber.recogniser import Partial, Span
from steno_transcriber.tools import Start

TALK = speech([1, 2, 3], [4, 5], [6])
WORDS = ["1", "2", "3", "4", "5", "6"]


def test_words_of_a_whole_session_come_in_order_with_spans_that_tile_it() -> None:
    engine, sink = FakeEngine(), Sink()
    recognise(TALK, engine, sink)
    assert sink.texts == ["1 2 3", "4 5", "6"]
    check_tiles(sink.spans, 0, len(TALK))
    first = sink.spans[0]
    assert first.hypothesis is not None
    assert first.hypothesis.words[0] == Word("1", 0, WORD, 0.9)
    assert first.reason == "pause"
    assert len(engine.streams) == 1
    assert np.array_equal(engine.streams[0].audio, TALK)
    assert engine.open_now == 0


def test_no_stream_is_opened_before_the_first_audio() -> None:
    """R1: the stream is opened on the first audio."""
    engine = FakeEngine()

    async def scenario() -> None:
        held = recogniser(engine, Sink())
        await asyncio.sleep(20)
        await held.flush()
        assert not engine.streams
        await held.feed(TALK[:160])
        await asyncio.sleep(0.1)
        assert len(engine.streams) == 1
        await held.aclose()

    simulated(scenario)


def test_audio_goes_on_as_it_comes_and_results_are_told_as_they_come() -> None:
    """R1: audio events are sent as they come, results handled as they come."""
    engine, sink = FakeEngine(), Sink()

    async def scenario() -> None:
        clock = asyncio.get_running_loop().time
        held = recogniser(engine, sink)
        await held.feed(TALK[:1_600])
        await asyncio.sleep(1)  # the stream is open now
        for at in range(1_600, 32_000, 1_600):
            fed = clock()
            await held.feed(TALK[at : at + 1_600])
            await asyncio.sleep(0.02)
            assert len(engine.streams[0].audio) == at + 1_600
            assert engine.streams[0].times[-1] - fed <= 0.02
            await asyncio.sleep(0.08)
        # The first phrase is told while nothing more is fed, long before the session ends.
        assert sink.texts == ["1 2 3"]
        await held.aclose()

    simulated(scenario)


def test_partials_carry_the_stability_that_the_service_gives_each_word() -> None:
    """R3: partial results with stability."""
    sink = Sink()
    recognise(TALK, FakeEngine(), sink)
    three = next(each for each in sink.partials if each.text == "1 2 3")
    assert (three.stability, three.confidence, three.language) == (0.667, 0.9, "en")
    assert three.start == 0


def test_a_lost_stream_is_reopened_and_its_audio_sent_again() -> None:
    """R3: engine stream lost: reopened, the chunk sent again, the session goes on."""
    engine, sink = FakeEngine(Plan(lasts=28_000)), Sink()
    recognise(TALK, engine, sink)
    assert sink.words == ["1", "2", "3", "4", "5", "6"]
    check_tiles(sink.spans, 0, len(TALK))
    first, second = engine.streams
    border = sink.spans[0].end
    assert np.array_equal(second.audio, TALK[border:])
    assert len(first.audio) > border


@settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(
    seed=st.integers(0, 10**6),
    piece=st.sampled_from([160, 333, 1_600, 4_000, 20_000, 200_000]),
    plans=st.lists(
        st.builds(
            Plan,
            refused=st.sampled_from([None, None, EngineLimited("full"), EngineAway("away")]),
            opens=st.sampled_from([True, True, True, False]),
            lasts=st.integers(1, 90_000),
            error=st.sampled_from([None, EngineAway("lost"), EngineError("broken")]),
            doubles=st.booleans(),
        ),
        max_size=3,
    ),
    pauses=st.lists(st.floats(0.4, 6.0), min_size=4, max_size=4),
    flush_after=st.integers(0, 4),
)
def test_any_losses_and_any_cut_tile_the_samples_and_give_each_word_once(
    seed: int, piece: int, plans: list[Plan], pauses: list[float], flush_after: int
) -> None:
    phrases = [[1, 2], [3], [4, 5, 6], [7, 8]]
    parts = [speech(phrase, pause=pause) for phrase, pause in zip(phrases, pauses, strict=True)]
    engine, sink = FakeEngine(*plans), Sink()

    async def scenario() -> None:
        held = recogniser(engine, sink)
        for number, part in enumerate(parts):
            await live(held, part, piece)
            if number + 1 == flush_after:
                await held.flush()
        await held.flush()
        await held.aclose()

    simulated(scenario, seed)
    assert sink.words == [str(number) for number in range(1, 9)]
    check_tiles(sink.spans, 0, sum(len(part) for part in parts))
    assert engine.most_open <= RULES.max_streams
    assert engine.open_now == 0


def test_what_comes_late_from_an_old_stream_changes_nothing() -> None:
    engine, sink = FakeEngine(Plan(lasts=28_000, doubles=True), Plan(doubles=True)), Sink()
    recognise(TALK, engine, sink)
    assert sink.texts == ["1 2 3", "4 5", "6"]


def test_a_session_goes_on_at_a_border_with_what_another_engine_wrote() -> None:
    sink = Sink()
    written = '{"text":"said by Whisper","language":"es"}'
    engine = FakeEngine()
    recognise(TALK, engine, sink, Start("session", 5_000, written))
    assert engine.asked[0] == Options(language="es")
    check_tiles(sink.spans, 5_000, 5_000 + len(TALK))
    context = decode_context(sink.spans[-1].context)
    assert context.language == "es"
    assert context.text == "said by Whisper 1 2 3 4 5 6"


def test_silence_is_committed_while_nobody_speaks() -> None:
    sink = Sink()
    audio = silence(16_000 * 30)

    async def scenario() -> None:
        held = recogniser(FakeEngine(), sink)
        await live(held, audio)
        # All but the last seconds, of which a result may still speak.
        assert sink.spans[-1].end >= len(audio) - 4 * 16_000
        assert held.pending <= 1_600
        await held.flush()
        await held.aclose()

    simulated(scenario)
    assert {span.reason for span in sink.spans} == {"silence"}
    check_tiles(sink.spans, 0, len(audio))


def test_sound_without_a_word_is_closed_once_two_streams_have_said_nothing_of_it() -> None:
    engine, sink = FakeEngine(*[Plan(says=False)] * 9), Sink()
    noise = np.tile(np.array([9_000, -9_000], np.int16), 8_000 * 30)

    async def scenario() -> None:
        held = recogniser(engine, sink)
        await live(held, noise)
        assert sink.spans[-1].end >= 19 * 16_000
        await held.flush()
        await held.aclose()

    simulated(scenario)
    check_tiles(sink.spans, 0, len(noise))
    assert {span.reason for span in sink.spans} == {"silence"}
    assert len(engine.streams) == 4


def test_a_stream_that_ends_without_a_word_of_speech_is_not_believed_alone() -> None:
    engine, sink = FakeEngine(Plan(says=False)), Sink()
    recognise(TALK, engine, sink)
    assert sink.texts == ["1 2 3", "4 5", "6"]
    check_tiles(sink.spans, 0, len(TALK))


def test_a_stream_without_audio_is_kept_open_with_silence_that_moves_no_position() -> None:
    engine, sink = FakeEngine(), Sink()

    async def scenario() -> None:
        held = recogniser(engine, sink)
        await live(held, TALK[:24_000])
        await asyncio.sleep(61)
        await live(held, TALK[24_000:])
        await held.flush()
        await held.aclose()

    simulated(scenario)
    (stream,) = engine.streams
    gaps = np.diff(stream.times)
    assert gaps.max() <= 10.1
    assert len(stream.audio) == len(TALK) + 6 * 1_600
    assert [span.speech_start for span in sink.spans if span.hypothesis] == [0, 28_480, 52_800]
    assert sink.texts == ["1 2 3", "4 5", "6"]
    check_tiles(sink.spans, 0, len(TALK))


def test_audio_that_is_sent_again_catches_up_no_faster_than_the_engine_bears() -> None:
    engine = FakeEngine(Plan(opens=False), Plan())
    talk = speech(*[[number] for number in range(20)])
    recognise(talk, engine, Sink())
    (stream,) = engine.streams
    sent = 0.0
    for at in stream.times[:40]:
        assert sent <= 1.0 + RULES.pace * (at - stream.times[0]) + 0.2
        sent += 0.1


def test_an_old_stream_is_ended_where_nobody_speaks() -> None:
    patience = replace(RULES.patience, stream=10 * 16_000, grace=5 * 16_000)
    engine, sink = FakeEngine(rules=replace(RULES, patience=patience)), Sink()
    talk = speech(*[[number, number + 1] for number in range(0, 40, 2)])
    recognise(talk, engine, sink)
    assert sink.words == [str(number) for number in range(40)]
    assert all(len(stream.audio) <= 12 * 16_000 for stream in engine.streams)
    check_tiles(sink.spans, 0, len(talk))


@pytest.mark.parametrize(
    ("error", "streams"), [(EngineRefused("no such key"), 2), (EngineLimited("full"), RULES.tries)]
)
def test_whoever_takes_the_span_of_a_failure_may_let_another_engine_go_on_before_it(
    error: EngineError, streams: int
) -> None:
    engine = FakeEngine(Plan(lasts=28_000), *[Plan(refused=error)] * 10)
    taken: list[Span] = []

    async def emit(event: Partial | Span) -> None:
        if isinstance(event, Span):
            if event.reason == "engine_failed":
                raise LookupError(event.start)
            taken.append(event)

    async def scenario() -> None:
        held = recogniser(engine, emit)
        with pytest.raises(LookupError) as raised:
            await heard(held, TALK)
        assert raised.value.args == (taken[-1].end,)
        await held.aclose()

    simulated(scenario)
    assert len(engine.asked) == streams
    assert [span.hypothesis.text for span in taken if span.hypothesis] == ["1 2 3"]


@pytest.mark.parametrize("quiet", [0, 9_600, *range(27_000, 31_000, 250)])
def test_an_engine_that_never_opens_lets_go_at_a_border_that_lies_in_no_word(quiet: int) -> None:
    engine, spans = FakeEngine(*[Plan(refused=EngineAway("gone"))] * 99), list[Span]()
    talk = np.concatenate([silence(quiet), TALK])

    async def emit(event: Partial | Span) -> None:
        if isinstance(event, Span):
            if event.reason == "engine_failed":
                raise LookupError(event.start)
            spans.append(event)

    async def scenario() -> None:
        held, next_one = recogniser(engine, emit), Sink()
        with pytest.raises(LookupError) as raised:
            await heard(held, talk)
        await held.aclose()
        (border,) = raised.value.args
        # Silence at most has gone before, which no other engine needs.
        assert border <= quiet
        goes_on = recogniser(FakeEngine(), next_one, Start("session", border))
        await heard(goes_on, talk[border:])
        await goes_on.aclose()
        assert next_one.words == WORDS
        check_tiles([*spans, *next_one.spans], 0, len(talk))

    simulated(scenario)
    # It is not asked again, whatever was heard until then.
    assert len(engine.asked) == RULES.tries


def test_an_engine_that_is_given_up_leaves_a_span_that_says_so_where_none_goes_on() -> None:
    engine, sink = (
        FakeEngine(Plan(lasts=28_000), *[Plan(refused=EngineRefused("key"))] * 99),
        Sink(),
    )
    recognise(TALK, engine, sink)
    # What was finished before is there, the rest is told as lost, every sample accounted for.
    assert sink.texts == ["1 2 3"]
    failed = [span for span in sink.spans if span.reason == "engine_failed"]
    assert any(span.speech_start < span.speech_end for span in failed)
    check_tiles(sink.spans, 0, len(TALK))


def test_an_engine_that_comes_back_is_used_again() -> None:
    engine, sink = FakeEngine(Plan(refused=EngineRefused("key expired"))), Sink()
    talk = speech(*[[number] for number in range(20)])
    recognise(talk, engine, sink)
    assert sink.words[-10:] == [str(number) for number in range(10, 20)]
    check_tiles(sink.spans, 0, len(talk))


def test_a_stream_that_does_not_end_is_taken_for_lost() -> None:
    engine, sink = FakeEngine(Plan(ends=False, says=False)), Sink()
    recognise(TALK, engine, sink)
    assert sink.texts == ["1 2 3", "4 5", "6"]
    assert len(engine.streams) == 2


def test_more_sessions_than_streams_wait_and_then_are_limited() -> None:
    engine = FakeEngine()
    sinks = [Sink() for _ in range(3)]

    async def scenario() -> None:
        # One pool for all.
        first = recogniser(engine, sinks[0])
        others = [recogniser(engine, sink) for sink in sinks[1:]]
        for other in others:
            other._tools = first._tools
        await first.feed(TALK[:1_600])
        await others[0].feed(TALK[:1_600])
        await asyncio.sleep(1)
        assert engine.open_now == 2
        await others[1].feed(TALK[:6_400])
        await others[1].flush()
        assert [span.reason for span in sinks[2].spans] == ["engine_failed"]
        assert engine.most_open == 2
        for held in (first, *others):
            await held.aclose()

    simulated(scenario)


def test_an_error_of_emitting_passes_through_the_next_call() -> None:
    engine, sink = FakeEngine(), Sink(LookupError(), until=1)

    async def scenario() -> None:
        held = recogniser(engine, sink)
        with pytest.raises(LookupError):
            await heard(held, TALK)
        await held.aclose()

    simulated(scenario)
    assert engine.open_now == 0


@pytest.mark.parametrize("closing", [False, True])
def test_a_stream_that_is_lost_while_it_is_let_go_keeps_nobody(closing: bool) -> None:
    class Fragile(FakeStream):
        async def send(self, audio: Samples) -> None:
            try:
                await super().send(audio)
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                raise EngineAway("lost as it was cancelled") from None

    class FragileEngine(FakeEngine):
        async def open(self, options: Options) -> FakeStream:
            stream = await super().open(options)
            stream.__class__ = Fragile
            return stream

    engine, sink = FragileEngine(), Sink(None if closing else LookupError("not ours"), until=1)

    async def scenario() -> None:
        held = recogniser(engine, sink)
        if closing:
            await held.feed(TALK[:16_000])
            await asyncio.sleep(0.22)
        else:
            with pytest.raises(LookupError, match="not ours"):
                await heard(held, TALK)
        async with asyncio.timeout(60):
            await held.aclose()

    simulated(scenario)
    assert len(engine.streams) == 1


def test_losing_a_stream_interrupts_no_commit() -> None:
    committed: list[int] = []

    async def emit(event: Partial | Span) -> None:
        if isinstance(event, Span):
            await asyncio.sleep(3)
            committed.append(event.end)

    engine = FakeEngine(Plan(lasts=26_000), Plan())
    recognise(TALK, engine, emit)
    assert committed == sorted(set(committed))
    assert committed[-1] == len(TALK)


@pytest.mark.parametrize("after", [0.0, 0.05, 1.0, 4.0])
def test_closing_leaves_nothing_running(after: float) -> None:
    engine = FakeEngine(Plan(opens=False)) if after == 0.05 else FakeEngine()

    async def scenario() -> None:
        held = recogniser(engine, Sink())
        await held.feed(TALK)
        await asyncio.sleep(after)
        await held.aclose()

    simulated(scenario)
    assert engine.open_now == 0


def test_streams_may_be_lost_for_ever_as_long_as_each_brings_something() -> None:
    engine, sink = FakeEngine(*[Plan(lasts=30_000)] * 3 * RULES.tries), Sink()
    talk = speech(*[[number] for number in range(20)])
    recognise(talk, engine, sink)
    assert sink.words == [str(number) for number in range(20)]
    assert len(engine.streams) > 2 * RULES.tries


@pytest.mark.parametrize("lasts", [1_600, 20_000, 30_000, 33_000, 55_000])
def test_a_detector_that_hears_nothing_costs_no_word(lasts: int) -> None:
    engine, sink = FakeEngine(Plan(lasts=lasts, error=None)), Sink()
    recognise(TALK, engine, sink, detector=lambda: lambda _block: [0.0] * 4)
    assert sink.words == ["1", "2", "3", "4", "5", "6"]
    check_tiles(sink.spans, 0, len(TALK))


@pytest.mark.parametrize("lasts", [50_000, 60_000, 70_000, 80_000, 90_000])
def test_audio_that_is_sent_again_has_the_same_time_to_be_heard_as_any_other(lasts: int) -> None:
    # The service takes 1.5 s for a word; what it catches up with comes four times as fast.
    engine = FakeEngine(Plan(opens=False), Plan(lasts=lasts, late=1.5), Plan(late=1.5))
    sink = Sink()

    async def scenario() -> None:
        held = recogniser(engine, sink, detector=lambda: lambda _block: [0.0] * 4)
        await heard(held, speech([1, 2], [3], [4], [5, 6, 7], [8], [9]))
        await held.aclose()

    simulated(scenario)
    assert sink.words == [str(number) for number in range(1, 10)]


def test_audio_waits_elsewhere_while_no_stream_takes_it() -> None:
    engine = FakeEngine(*[Plan(opens=False)] * 9)

    async def scenario() -> None:
        held = recogniser(engine, Sink())
        feeding = asyncio.create_task(held.feed(silence(20 * 16_000)))
        await asyncio.sleep(2)
        assert not feeding.done()
        assert 5 * 16_000 < held.pending <= 6 * 16_000
        feeding.cancel()
        await asyncio.wait([feeding])
        await held.aclose()

    simulated(scenario)


def test_partials_do_not_pile_up_behind_a_commit_that_takes_long() -> None:
    partials: list[str] = []

    async def emit(event: Partial | Span) -> None:
        if isinstance(event, Span):
            await asyncio.sleep(10)
        else:
            partials.append(event.text)

    recognise(TALK, FakeEngine(), emit)
    # Those of the first phrase; the others came while its commit was on its way.
    assert set(partials) <= {"?", "1", "1 ?", "1 2", "1 2 ?", "1 2 3"}
