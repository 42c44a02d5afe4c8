"""Recognition of a session: partials, and finals that are foreseen."""

import asyncio
import itertools
from concurrent.futures import Executor
from dataclasses import replace

import pytest
from tests.unit.transcriber.listening import SPEECH, Sink, answer, recognised, tools
from tests.unit.transcriber.sound import cut, loud, quiet, sound

from steno_transcriber.domain.hypothesis import Hypothesis, Request
from steno_transcriber.engines.base import EngineError
from steno_transcriber.engines.scripted import spoken
from steno_transcriber.recogniser import Partial, Span
from steno_transcriber.tools import Start
from steno_transcriber.window_recogniser import WindowRecogniser


async def test_partials_grow_and_stop_before_their_span(executor: Executor) -> None:
    sink = Sink()
    recogniser = WindowRecogniser(Start("s"), sink, tools(executor))
    for piece in cut(SPEECH, [1_600] * 60):
        await recogniser.feed(piece)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    await recogniser.flush()
    await recogniser.aclose()
    first_span = next(n for n, event in enumerate(sink.events) if isinstance(event, Span))
    first = sink.events[:first_span]
    assert len(first) >= 6
    assert all(isinstance(event, Partial) for event in first)
    partials = [event for event in first if isinstance(event, Partial)]
    assert partials[0].end - partials[0].start <= 8_000 + 1_600 + 3_200
    assert partials[0].stability == 0.0
    assert partials[-1].stability > 0.5
    ends = [partial.end for partial in partials]
    # The last one comes as soon as the pause may be the end, however short the time since.
    assert all(later - earlier >= 3_200 for earlier, later in itertools.pairwise(ends[:-1]))
    assert ends[-1] > ends[-2]
    span = sink.spans[0]
    assert all(span.start <= p.start < p.end <= span.end for p in partials)
    assert all(p.start == span.speech_start for p in partials)


class SlowPartials:
    """Answers partials only when told to; counts how many are asked for."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.asked = 0

    async def __call__(self, session: str, request: Request) -> Hypothesis:
        request.taken, window = True, request.window
        if not window.final:
            self.asked += 1
            await self.gate.wait()
        return spoken(window)


class Windows:
    """Answers, and keeps what was asked for."""

    def __init__(self) -> None:
        self.finals: list[int] = []
        """Lengths of the windows decoded as finals."""

    async def __call__(self, session: str, request: Request) -> Hypothesis:
        request.taken, window = True, request.window
        if window.final:
            self.finals.append(len(window.audio))
        return await answer(session, request)


async def test_a_pause_is_decoded_before_it_is_over_and_its_final_not_again(
    executor: Executor,
) -> None:
    sink, asked = Sink(), Windows()
    recogniser = WindowRecogniser(Start("s"), sink, tools(executor, asked))
    pause_at = 8_000 + 32_000
    for piece in cut(SPEECH[: pause_at + 6_400], [1_600] * 60):
        await recogniser.feed(piece)
        await asyncio.sleep(0)
    assert len(asked.finals) == 1
    assert sink.spans == []
    for piece in cut(SPEECH[pause_at + 6_400 : pause_at + 16_000], [1_600] * 10):
        await recogniser.feed(piece)
    await recogniser.aclose()
    assert len(asked.finals) == 1
    assert sink.spans == (await recognised(executor, [SPEECH], Start("s")))[:1]


async def test_speech_that_goes_on_after_a_short_pause_is_decoded_as_a_whole(
    executor: Executor,
) -> None:
    speech = sound(quiet(8_000), loud(16_000), quiet(6_400), loud(16_000, 3), quiet(20_000))
    sink, asked = Sink(), Windows()
    recogniser = WindowRecogniser(Start("s"), sink, tools(executor, asked))
    for piece in cut(speech, [1_600] * 60):
        await recogniser.feed(piece)
        await asyncio.sleep(0)
    await recogniser.flush()
    await recogniser.aclose()
    short, whole = asked.finals
    assert whole - short > 16_000
    assert sink.spans == await recognised(executor, [speech], Start("s"))


async def test_one_partial_at_a_time_and_none_for_a_closed_segment(executor: Executor) -> None:
    sink, slow = Sink(), SlowPartials()
    recogniser = WindowRecogniser(Start("s"), sink, tools(executor, slow))
    for piece in cut(SPEECH[:44_000], [1_600] * 27):
        await recogniser.feed(piece)
        await asyncio.sleep(0)
    assert slow.asked == 1
    await recogniser.feed(SPEECH[44_000:56_000])
    assert [type(event) for event in sink.events] == [Span]
    slow.gate.set()
    await asyncio.sleep(0)
    assert sink.partials == []
    await recogniser.aclose()


async def test_closing_in_the_middle_leaves_no_task(executor: Executor) -> None:
    slow = SlowPartials()
    recogniser = WindowRecogniser(Start("s"), Sink(), tools(executor, slow))
    await recogniser.feed(SPEECH[:40_000])
    await asyncio.sleep(0)
    assert slow.asked == 1
    await recogniser.aclose()
    assert {task.get_name() for task in asyncio.all_tasks()} == {asyncio.current_task().get_name()}  # type: ignore[union-attr]


async def test_a_failed_partial_is_only_counted(executor: Executor) -> None:
    seen: list[str] = []

    async def decode(session: str, request: Request) -> Hypothesis:
        request.taken, window = True, request.window
        if not window.final:
            raise EngineError("no")
        return spoken(window)

    sink = Sink()
    kit = replace(tools(executor, decode), observe=lambda measure, value: seen.append(measure))
    recogniser = WindowRecogniser(Start("s"), sink, kit)
    for piece in cut(SPEECH, [8_000] * 12):
        await recogniser.feed(piece)
        await asyncio.sleep(0)
    # The windows of pauses, which become finals, are decoded as such and do not fail.
    assert len(sink.partials) == len(sink.spans) == 2
    assert "partial_failures" in seen


async def test_an_error_of_the_receiver_of_partials_comes_out_of_the_next_call(
    executor: Executor,
) -> None:
    async def emit(event: Partial | Span) -> None:
        raise ConnectionError("gone")

    recogniser = WindowRecogniser(Start("s"), emit, tools(executor))
    await recogniser.feed(SPEECH[:30_000])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with pytest.raises(ConnectionError, match="gone"):
        await recogniser.feed(SPEECH[30_000:32_000])
