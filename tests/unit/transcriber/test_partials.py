"""The open segment: its partials, and its final decoded before the pause is over."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.transcriber.sound import RULES, ForgetfulDetector, GatedEngine, loud, turn

from steno_transcriber.domain.cadence import Pace
from steno_transcriber.domain.hypothesis import Decoded, Hypothesis, Request, Window, placed
from steno_transcriber.domain.segmenter import OpenSpeech
from steno_transcriber.engines.base import EngineError
from steno_transcriber.engines.scripted import spoken
from steno_transcriber.partials import OpenSegment
from steno_transcriber.recogniser import Partial, Span
from steno_transcriber.scheduler import Scheduler
from steno_transcriber.tools import Tools

AUDIO = loud(200_000)
START = 5_000
"""Where the segment's audio starts; speech starts 1,000 samples later."""


@dataclass
class Desk:
    """A queue that is served by hand, and what was shown of its answers."""

    requests: list[Request] = field(default_factory=list)
    answers: list[asyncio.Future[Hypothesis]] = field(default_factory=list)
    shown: list[Partial] = field(default_factory=list)
    observed: list[str] = field(default_factory=list)
    showing: asyncio.Event | None = None

    async def decode(self, session: str, request: Request) -> Hypothesis:
        self.requests.append(request)
        self.answers.append(asyncio.get_running_loop().create_future())
        return await self.answers[-1]

    async def show(self, event: Partial | Span) -> None:
        if self.showing:
            await self.showing.wait()
        assert isinstance(event, Partial)
        self.shown.append(event)

    async def answer(self, error: EngineError | None = None) -> None:
        """Answer the newest request."""
        self.requests[-1].taken = True
        if not (answer := self.answers[-1]).done():
            if error:
                answer.set_exception(error)
            else:
                answer.set_result(spoken(self.requests[-1].window))
        await turn()

    def segment(self, pace: Pace | None = None) -> OpenSegment:
        def observe(measure: str, value: float) -> None:
            self.observed.append(measure)

        executor = ThreadPoolExecutor(1)
        executor.shutdown()
        kit = (self.decode, ForgetfulDetector, executor, RULES, 3_200, pace or Pace(), observe)
        return OpenSegment("s", self.show, Tools(*kit))


async def grow(segment: OpenSegment, length: int, *, settled: bool = False) -> None:
    speech = OpenSpeech(START + 1_000, START, AUDIO[:length], settled)
    await segment.grow(speech, Window(speech.audio, final=settled))
    await turn()


def final_of(length: int) -> Decoded:
    return Decoded(placed(spoken(Window(AUDIO[:length])), START, length))


def others() -> set[asyncio.Task[object]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_final_that_was_foreseen_is_not_asked_for_again(desk: Desk) -> None:
    segment = desk.segment()
    await grow(segment, 20_000, settled=True)
    await desk.answer()
    await grow(segment, 20_000, settled=True)
    assert await segment.final(START + 20_000) == final_of(20_000)
    assert [request.window.final for request in desk.requests] == [True]
    assert [(shown.start, shown.end) for shown in desk.shown] == [(START + 1_000, START + 20_000)]
    assert others() == set()


async def test_a_final_on_its_way_is_waited_for(desk: Desk) -> None:
    segment = desk.segment()
    await grow(segment, 20_000, settled=True)
    assert desk.requests[-1].early
    final = asyncio.create_task(segment.final(START + 20_000))
    await turn()
    assert not final.done()
    assert not desk.requests[-1].early
    await desk.answer()
    assert await final == final_of(20_000)
    assert others() == set()


async def test_a_partial_that_reaches_the_end_is_no_final(desk: Desk) -> None:
    segment = desk.segment()
    await grow(segment, 20_000)
    await desk.answer()
    assert await segment.final(START + 20_000) is None


async def test_what_was_foreseen_is_dropped_when_speech_goes_on(desk: Desk) -> None:
    segment = desk.segment()
    await grow(segment, 20_000, settled=True)
    await desk.answer()
    await grow(segment, 26_000)
    assert await segment.final(START + 30_000) is None
    assert [request.window.final for request in desk.requests] == [True, False]
    assert others() == set()


async def test_a_final_that_still_waits_when_speech_goes_on_becomes_a_partial(desk: Desk) -> None:
    segment = desk.segment()
    await grow(segment, 20_000, settled=True)
    await grow(segment, 21_000)
    (request,) = desk.requests
    assert (request.window.final, len(request.window.audio)) == (False, 21_000)
    await desk.answer()
    assert [shown.end for shown in desk.shown] == [START + 21_000]
    assert await segment.final(START + 20_000) is None


async def test_a_partial_that_still_waits_is_asked_for_the_newest_window(desk: Desk) -> None:
    segment = desk.segment()
    for length in (12_000, 13_000, 20_000):
        await grow(segment, length)
    (request,) = desk.requests
    assert len(request.window.audio) == 20_000
    await desk.answer()
    assert [shown.end for shown in desk.shown] == [START + 20_000]


async def test_at_a_pause_the_place_kept_for_finals_is_taken_at_once(desk: Desk) -> None:
    engine = GatedEngine(max_batch=1, concurrency=2, reserve=1)
    async with Scheduler(engine) as scheduler:
        other = Request(Window(loud(3_200), final=False))
        at_work = asyncio.create_task(scheduler.decode("other", other))
        await turn()
        desk.decode = scheduler.decode  # type: ignore[method-assign]
        segment = desk.segment()
        await grow(segment, 20_000)
        assert [len(batch) for batch in engine.batches] == [1]
        await grow(segment, 21_000, settled=True)
        assert [batch[0].final for batch in engine.batches] == [False, True]
        engine.gate.set()
        assert await segment.final(START + 21_000) == final_of(21_000)
        await at_work


@pytest.mark.parametrize("taken", [False, True], ids=["waiting", "at work"])
async def test_a_partial_on_its_way_at_a_pause_gives_way_to_the_final(
    desk: Desk, taken: bool
) -> None:
    segment = desk.segment()
    await grow(segment, 20_000)
    desk.requests[0].taken = taken
    await grow(segment, 21_000, settled=True)
    assert desk.answers[0].cancelled()
    assert [request.window.final for request in desk.requests] == [False, True]
    await desk.answer()
    assert await segment.final(START + 21_000) == final_of(21_000)
    assert [shown.end for shown in desk.shown] == [START + 21_000]


async def test_what_is_at_work_is_not_changed_any_more(desk: Desk) -> None:
    segment = desk.segment()
    await grow(segment, 20_000)
    (request,) = desk.requests
    request.taken, window = True, request.window
    await grow(segment, 28_000)
    assert request.window is window
    assert len(desk.requests) == 1


async def test_a_final_that_was_foreseen_in_vain_is_left_to_the_next_try(desk: Desk) -> None:
    segment = desk.segment()
    await grow(segment, 20_000, settled=True)
    await desk.answer(EngineError("no"))
    await grow(segment, 20_000, settled=True)
    assert len(desk.requests) == 1
    assert await segment.final(START + 20_000) is None
    assert "partial_failures" in desk.observed


async def test_a_partial_that_is_being_shown_comes_before_the_final(desk: Desk) -> None:
    desk.showing = asyncio.Event()
    segment = desk.segment()
    await grow(segment, 20_000)
    await desk.answer()
    final = asyncio.create_task(segment.final(START + 30_000))
    await turn()
    assert not final.done()
    desk.showing.set()
    assert await final is None
    assert [shown.end for shown in desk.shown] == [START + 20_000]


async def test_the_first_partial_is_known_as_such(desk: Desk) -> None:
    segment = desk.segment()
    assert segment.unseen
    await grow(segment, 20_000)
    assert segment.unseen
    await desk.answer()
    assert not segment.unseen


@pytest.mark.parametrize(("wait", "asked"), [(0.0, 24), (0.4, 12), (60.0, 3)])
async def test_partials_get_rarer_the_longer_they_wait(desk: Desk, wait: float, asked: int) -> None:
    pace = Pace(wait)
    segment = desk.segment(pace)
    for length in range(1_600, 84_800, 1_600):
        await grow(segment, length)
        if len(desk.answers) > len(desk.shown):
            await desk.answer()
    assert len(desk.shown) == asked
    # What would have come without load is counted, so that the share that was left out is known.
    assert desk.observed.count("partials_due") == 24


steps = st.lists(
    st.tuples(
        st.sampled_from(["speech", "pause", "take", "answer", "fail"]), st.integers(100, 6_000)
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=200)
@given(steps, st.sampled_from(["end", "end elsewhere", "stop"]))
def test_whatever_happens_a_final_is_the_right_one_and_no_task_is_left(
    steps: list[tuple[str, int]], end: str
) -> None:
    async def run() -> None:
        desk = Desk()
        segment = desk.segment()
        length, settled = 9_000, False
        for step, more in steps:
            if step in ("speech", "pause"):
                length += 0 if settled and step == "pause" else more
                settled = step == "pause"
                await grow(segment, length, settled=settled)
                assert len(others()) <= 1
            elif desk.requests and step == "take":
                desk.requests[-1].taken = True
            elif desk.requests:
                await desk.answer(EngineError("no") if step == "fail" else None)
        if end == "stop":
            await segment.aclose()
        else:
            at = length if end == "end" else length - 50
            final = asyncio.create_task(segment.final(START + at))
            await turn()
            if desk.requests:
                await desk.answer()
            assert await final in (None, final_of(at))
        assert others() == set()
        ends = [shown.end for shown in desk.shown]
        assert ends == sorted(set(ends))

    asyncio.run(run())
