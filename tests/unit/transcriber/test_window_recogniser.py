"""Recognition of a session: finals follow from the audio alone."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.transcriber.sound import (
    RULES,
    ForgetfulDetector,
    cut,
    loud,
    quiet,
    sound,
    sounds,
)

from steno_transcriber.domain.hypothesis import Hypothesis, Window
from steno_transcriber.domain.samples import Samples
from steno_transcriber.engines.base import EngineError, EngineUnavailable
from steno_transcriber.engines.scripted import spoken
from steno_transcriber.recogniser import Partial, Span
from steno_transcriber.scheduler import ignore
from steno_transcriber.window_recogniser import Start, Tools, WindowRecogniser

SPEECH = sound(quiet(8_000), loud(32_000), quiet(16_000), loud(24_000, 3), quiet(20_000))


async def answer(session: str, window: Window) -> Hypothesis:
    # What the prompt was shows in the text, so that a wrong context shows too.
    heard = spoken(window)
    return replace(heard, text=f"{heard.text} after {len(window.prompt)}")


class Sink:
    """Keeps the events."""

    def __init__(self) -> None:
        self.events: list[Partial | Span] = []

    async def __call__(self, event: Partial | Span) -> None:
        self.events.append(event)

    @property
    def spans(self) -> list[Span]:
        return [replace(e, processing_ms=0) for e in self.events if isinstance(e, Span)]

    @property
    def partials(self) -> list[Partial]:
        return [e for e in self.events if isinstance(e, Partial)]


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


def tools(
    executor: Executor, decode: Callable[[str, Window], Awaitable[Hypothesis]] = answer
) -> Tools:
    return Tools(decode, ForgetfulDetector, executor, RULES, 3_200, ignore)


async def recognised(executor: Executor, pieces: list[Samples], start: Start) -> list[Span]:
    sink = Sink()
    recogniser = WindowRecogniser(start, sink, tools(executor))
    for piece in pieces:
        await recogniser.feed(piece)
    await recogniser.flush()
    await recogniser.aclose()
    return sink.spans


@settings(deadline=None, max_examples=30)
@given(
    samples=sounds(),
    sizes=st.lists(st.integers(0, 20_000), max_size=20),
    data=st.data(),
)
def test_spans_are_the_same_however_audio_is_cut_and_after_a_crash_at_any_checkpoint(
    executor: Executor, samples: Samples, sizes: list[int], data: st.DataObject
) -> None:
    start = Start("s")
    whole = asyncio.run(recognised(executor, [samples], start))
    assert asyncio.run(recognised(executor, cut(samples, sizes), start)) == whole
    assert sum(span.end - span.start for span in whole) == len(samples)
    if whole:
        index = data.draw(st.integers(0, len(whole) - 1))
        last = whole[index]
        resumed = recognised(
            executor, cut(samples[last.end :], sizes), Start("s", last.end, last.context)
        )
        assert asyncio.run(resumed) == whole[index + 1 :]


async def test_a_final_has_the_words_of_its_audio_at_their_place(executor: Executor) -> None:
    first, second, silence = await recognised(executor, [SPEECH], Start("s"))
    assert first.hypothesis is not None
    assert first.hypothesis.text.endswith("after 0")
    assert second.hypothesis is not None
    assert second.hypothesis.text.endswith(f"after {len(first.context)}")
    words = first.hypothesis.words
    assert first.start <= words[0].start <= first.speech_start
    assert first.speech_end <= words[-1].end <= first.end
    assert first.prosody is not None
    assert (first.reason, second.reason, silence.reason) == ("pause", "pause", "flush")
    assert (silence.hypothesis, silence.prosody, silence.context) == (None, None, second.context)


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

    async def __call__(self, session: str, window: Window) -> Hypothesis:
        if not window.final:
            self.asked += 1
            await self.gate.wait()
        return spoken(window)


class Windows:
    """Answers, and keeps what was asked for."""

    def __init__(self) -> None:
        self.finals: list[int] = []
        """Lengths of the windows decoded as finals."""

    async def __call__(self, session: str, window: Window) -> Hypothesis:
        if window.final:
            self.finals.append(len(window.audio))
        return await answer(session, window)


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


async def test_a_final_that_fails_once_is_tried_again(executor: Executor) -> None:
    faults = [EngineError("once")]

    async def decode(session: str, window: Window) -> Hypothesis:
        if window.final and faults:
            raise faults.pop()
        return await answer(session, window)

    sink = Sink()
    recogniser = WindowRecogniser(Start("s"), sink, tools(executor, decode))
    await recogniser.feed(SPEECH)
    await recogniser.flush()
    assert sink.spans == await recognised(executor, [SPEECH], Start("s"))


@pytest.mark.parametrize(
    ("error", "tries"), [(EngineError("always"), 2), (EngineUnavailable("never"), 1)]
)
async def test_a_segment_the_engine_cannot_decode_is_said_and_the_session_goes_on(
    executor: Executor, error: EngineError, tries: int
) -> None:
    tried = []
    seen: list[tuple[str, float]] = []

    async def decode(session: str, window: Window) -> Hypothesis:
        if window.final:
            tried.append(window)
            if len(tried) <= tries:
                raise error
        return await answer(session, window)

    sink = Sink()
    kit = replace(
        tools(executor, decode), observe=lambda measure, value: seen.append((measure, value))
    )
    recogniser = WindowRecogniser(Start("s", context="before"), sink, kit)
    await recogniser.feed(SPEECH)
    first, second, *_ = sink.spans
    assert (first.reason, first.hypothesis, first.context) == ("engine_failed", None, "before")
    assert first.prosody is not None
    assert second.hypothesis is not None
    assert len(tried) == tries + 1
    assert ("final_failures", 1) in seen


async def test_a_failed_partial_is_only_counted(executor: Executor) -> None:
    seen: list[str] = []

    async def decode(session: str, window: Window) -> Hypothesis:
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


async def test_words_in_silence_of_the_engine_are_none(executor: Executor) -> None:
    async def decode(session: str, window: Window) -> Hypothesis:
        return Hypothesis(language="en")

    sink = Sink()
    recogniser = WindowRecogniser(Start("s"), sink, tools(executor, decode))
    await recogniser.feed(SPEECH)
    assert (sink.spans[0].hypothesis, sink.spans[0].reason) == (None, "pause")
    assert sink.partials == []
