"""Recognition of a session: finals follow from the audio alone."""

import asyncio
from concurrent.futures import Executor
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.transcriber.listening import SPEECH, Sink, answer, recognised, tools
from tests.unit.transcriber.sound import cut, sounds

from steno_transcriber.domain.context import Context, decode_context
from steno_transcriber.domain.hypothesis import Hypothesis, Options, Request
from steno_transcriber.domain.samples import Samples
from steno_transcriber.engines.base import EngineError, EngineUnavailable
from steno_transcriber.engines.scripted import spoken
from steno_transcriber.tools import Start
from steno_transcriber.window_recogniser import WindowRecogniser


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
    assert second.hypothesis.text.endswith(f"after {len(decode_context(first.context).text)}")
    words = first.hypothesis.words
    assert first.start <= words[0].start <= first.speech_start
    assert first.speech_end <= words[-1].end <= first.end
    assert first.prosody is not None
    assert (first.reason, second.reason, silence.reason) == ("pause", "pause", "flush")
    assert (silence.hypothesis, silence.prosody, silence.context) == (None, None, second.context)


async def test_a_final_that_fails_once_is_tried_again(executor: Executor) -> None:
    faults = [EngineError("once")]

    async def decode(session: str, request: Request) -> Hypothesis:
        request.taken, window = True, request.window
        if window.final and faults:
            raise faults.pop()
        return await answer(session, request)

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

    async def decode(session: str, request: Request) -> Hypothesis:
        request.taken, window = True, request.window
        if window.final:
            tried.append(window)
            if len(tried) <= tries:
                raise error
        return await answer(session, request)

    sink = Sink()
    kit = replace(
        tools(executor, decode), observe=lambda measure, value: seen.append((measure, value))
    )
    before = Context("before").encode()
    recogniser = WindowRecogniser(Start("s", context=before), sink, kit)
    await recogniser.feed(SPEECH)
    first, second, *_ = sink.spans
    assert (first.reason, first.hypothesis, first.context) == ("engine_failed", None, before)
    assert first.prosody is not None
    assert second.hypothesis is not None
    assert len(tried) == tries + 1
    assert ("final_failures", 1) in seen


async def test_words_in_silence_of_the_engine_are_none(executor: Executor) -> None:
    async def decode(session: str, request: Request) -> Hypothesis:
        request.taken = True
        return Hypothesis(language="en")

    sink = Sink()
    recogniser = WindowRecogniser(Start("s"), sink, tools(executor, decode))
    await recogniser.feed(SPEECH)
    assert (sink.spans[0].hypothesis, sink.spans[0].reason) == (None, "pause")
    assert sink.partials == []


class Linguist:
    """Finds another language on each window; keeps what it was told."""

    def __init__(self, *found: str) -> None:
        self.found = list(found)
        self.told: list[Options] = []

    async def __call__(self, session: str, request: Request) -> Hypothesis:
        request.taken = True
        self.told.append(request.window.options)
        heard = spoken(request.window)
        return replace(heard, language=request.window.options.language or self.found.pop(0))


@pytest.mark.parametrize(
    ("asked", "told", "heard"),
    [
        (None, [None, "de"], ["de", "de"]),
        ("multi", [None, None], ["de", "fr"]),
        ("es", ["es", "es"], ["es", "es"]),
    ],
)
async def test_the_language_of_the_first_speech_is_kept_unless_there_may_be_many(
    executor: Executor, asked: str | None, told: list[str | None], heard: list[str]
) -> None:
    sink, linguist = Sink(), Linguist("de", "fr")
    start = Start("s", options=Options(language=asked, prompt="names"), partials=False)
    recogniser = WindowRecogniser(start, sink, tools(executor, linguist))
    await recogniser.feed(SPEECH)
    assert linguist.told == [Options(language=each, prompt="names") for each in told]
    assert [span.hypothesis.language for span in sink.spans if span.hypothesis] == heard


async def test_the_language_is_kept_over_a_crash(executor: Executor) -> None:
    linguist = Linguist("fr")
    start = Start("s", context=Context("Guten Tag.", "de").encode(), partials=False)
    recogniser = WindowRecogniser(start, Sink(), tools(executor, linguist))
    await recogniser.feed(SPEECH)
    assert [options.language for options in linguist.told] == ["de", "de"]


async def test_without_partials_only_spans_are_emitted(executor: Executor) -> None:
    sink = Sink()
    recogniser = WindowRecogniser(Start("s", partials=False), sink, tools(executor))
    for piece in cut(SPEECH, [1_600] * 70):
        await recogniser.feed(piece)
    await recogniser.flush()
    assert sink.partials == []
    assert sink.spans == await recognised(executor, [SPEECH], Start("s"))
