"""The rules of streams, each for itself: time, activity, pace, pauses, tiles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_transcriber.domain.activity import Activity, Judge
from steno_transcriber.domain.backoff import LONGEST, pause
from steno_transcriber.domain.pacing import Pacing
from steno_transcriber.domain.results import HeardWord, Result
from steno_transcriber.domain.samples import Samples
from steno_transcriber.domain.scan import BLOCK, FRAME
from steno_transcriber.domain.stream_time import StreamTime
from steno_transcriber.domain.tiling import LEAD, Patience, Tiling

SECOND = 16_000


def test_silence_of_our_own_moves_no_position() -> None:
    time = StreamTime(origin=1_000)
    time.add_audio(SECOND)
    time.add_silence(SECOND)
    time.add_silence(SECOND)
    time.add_audio(SECOND)
    assert [time.position(at) for at in (0.0, 0.5, 1.0, 2.0, 3.0, 3.5)] == [
        1_000, 9_000, 17_000, 17_000, 17_000, 25_000,
    ]  # fmt: skip
    assert time.sent == 4 * SECOND


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 5_000)), max_size=20))
def test_positions_never_go_back_and_end_where_the_audio_does(
    parts: list[tuple[bool, int]],
) -> None:
    time = StreamTime(0)
    for audio, length in parts:
        (time.add_audio if audio else time.add_silence)(length)
    places = [time.position(at / SECOND) for at in range(0, time.sent + 1, 97)]
    assert places == sorted(places)
    assert time.position(time.sent / SECOND) == sum(length for audio, length in parts if audio)


@given(st.lists(st.integers(1, 3 * BLOCK), min_size=1, max_size=12))
def test_what_is_judged_does_not_hang_on_how_audio_is_cut(cuts: list[int]) -> None:
    audio = np.arange(sum(cuts), dtype=np.int64).astype(np.int16)

    def probability(block: Samples) -> list[float]:
        return [float(frame[0] % 7 > 3) for frame in block.reshape(-1, FRAME)]

    whole = Judge(probability).feed(audio)
    judge, found, at = Judge(probability), [], 0
    for cut in cuts:
        found += judge.feed(audio[at : at + cut])
        at += cut
    assert found == whole
    assert len(whole) == len(audio) // BLOCK * (BLOCK // FRAME)


def test_activity_says_where_speech_is_and_forgets_what_is_committed() -> None:
    activity = Activity(100)
    activity.add([False, True, True, False, True])
    assert activity.judged == 100 + 5 * FRAME
    assert activity.speech(100, activity.judged) == (100 + FRAME, activity.judged)
    assert activity.speech(100, 100 + FRAME) is None
    assert activity.spoken(100, activity.judged) == 3 * FRAME
    activity.forget(100 + 3 * FRAME + 5)
    assert activity.speech(0, 10**6) == (100 + 4 * FRAME, activity.judged)
    assert activity.judged == 100 + 5 * FRAME


def test_a_burst_goes_at_once_and_then_the_pace_holds() -> None:
    pacing = Pacing(rate=2.0, burst=1.0)
    now = 50.0
    for _ in range(10):
        assert pacing.wait(now) == 0
        pacing.sent(now, SECOND // 10)
    pacing.sent(now, SECOND)
    assert pacing.wait(now) == pytest.approx(0.5)
    assert pacing.wait(now + 0.5) == 0


def test_pauses_double_up_to_a_longest_and_differ() -> None:
    assert [pause(losses, 1.0) for losses in (1, 2, 3, 4)] == [0.25, 0.5, 1.0, 2.0]
    assert [pause(losses, 0.0) for losses in (1, 2)] == [0.125, 0.25]
    assert pause(50, 1.0) == LONGEST


def tiling(samples: int, speech: bool = False, patience: Patience | None = None) -> Tiling:
    """Give a tiling that was sent so many samples."""
    made = Tiling(0, patience or Patience())
    made.take(np.ones(samples, np.int16), [speech] * (samples // FRAME))
    made.send(samples)
    return made


def final(start: float, end: float, *words: tuple[str, float, float], name: str = "a") -> Result:
    return Result(name, start, end, tuple(HeardWord(*word) for word in words), final=True)


def test_a_final_closes_its_span_and_the_silence_before_it() -> None:
    made = tiling(10 * SECOND)
    first, second = made.finish(final(3.0, 5.0, ("one", 3.0, 4.0), ("two", 4.0, 5.0)))
    assert (first.start, first.end, first.words) == (0, 41_600, ())
    assert (second.start, second.end) == (41_600, 80_000)
    assert (second.speech_start, second.speech_end) == (48_000, 80_000)
    assert second.speech is not None
    assert len(second.speech) == 32_000


def test_a_final_that_was_taken_before_changes_nothing() -> None:
    made = tiling(10 * SECOND)
    made.finish(final(1.0, 2.0, ("one", 1.0, 2.0)))
    assert made.finish(final(1.0, 2.0, ("one", 1.0, 2.0))) == []
    assert made.show(Result("a", 1.0, 2.0, (HeardWord("one", 1.0, 2.0),))) is None
    rest = made.rest(made.sent)
    assert rest is not None
    assert rest.end == 8 * SECOND


def test_results_are_cut_by_time_at_what_is_finished() -> None:
    made = tiling(10 * SECOND)
    made.finish(final(0.0, 2.0, ("one", 1.0, 2.0)))
    (closed,) = made.finish(
        final(1.0, 4.0, ("one", 1.0, 2.0), ("two", 2.0, 3.0), ("three", 3.0, 4.0), name="b")
    )
    assert [word.text for word in closed.words] == ["two", "three"]


def test_a_word_in_what_was_taken_for_silence_is_said_all_the_same() -> None:
    made = tiling(10 * SECOND)
    rest = made.rest(made.sent)
    assert rest is not None
    assert rest.end == 8 * SECOND
    (closed,) = made.finish(final(2.0, 3.0, ("quiet", 2.0, 3.0)))
    assert [word.text for word in closed.words] == ["quiet"]
    assert closed.start == 8 * SECOND < closed.end


def spoken(name: str, start: float, *speakers: str | None, over: bool = True) -> Result:
    """Give a result with a word of each speaker, a second long."""
    words = tuple(
        HeardWord("so", start + at, start + at + 1, speaker=speaker)
        for at, speaker in enumerate(speakers)
    )
    return Result(name, start, start + len(speakers), words, final=over)


def test_a_label_of_a_later_stream_says_where_that_one_begins() -> None:
    made = Tiling(0, Patience())
    made.take(np.ones(10 * SECOND, np.int16), [])
    made.send(10 * SECOND)
    (closed,) = made.finish(spoken("a", 0.0, "0", "1", None))
    assert [word.speaker for word in closed.words] == ["0", "1", None]
    made.rewind()
    made.send(7 * SECOND)
    shown = made.show(spoken("a", 0.0, "0", over=False))
    assert shown is not None
    assert [word.speaker for word in shown.words] == ["0@3.0"]
    closed, later = (made.finish(spoken(name, at, "0", None))[0] for name, at in
                     (("a", 0.0), ("b", 2.0)))  # fmt: skip
    assert [word.speaker for word in closed.words + later.words] == ["0@3.0", None, "0@3.0", None]


def test_silence_waits_for_what_a_result_may_still_speak_of() -> None:
    made = tiling(10 * SECOND)
    made.show(Result("a", 4.0, 5.0, (HeardWord("may", 4.0, 5.0),)))
    closed = made.rest(made.sent)
    assert closed is not None
    assert closed.end == 57_600  # 0.4 s before the word
    assert made.rest(made.sent) is None


@pytest.mark.parametrize("begin", [8.0, 8.192, 8.384])
def test_silence_leaves_its_lead_to_speech_that_begins_right_behind_it(begin: float) -> None:
    made, onset = Tiling(0, Patience()), round(begin * SECOND)
    frames = 10 * SECOND // FRAME
    made.take(np.ones(10 * SECOND, np.int16), [at * FRAME >= onset for at in range(frames)])
    made.send(10 * SECOND)
    closed = made.rest(made.sent)
    assert closed is not None
    assert closed.end == onset - 6_400


def test_a_stream_is_asked_to_end_when_it_owes_too_much() -> None:
    patience = Patience(unheard=5 * SECOND, open=12 * SECOND)
    assert not tiling(4 * SECOND, speech=True, patience=patience).is_turn_due()
    assert tiling(5 * SECOND + FRAME, speech=True, patience=patience).is_turn_due()
    # A result that is open says that the speech is heard: then only the length counts, first
    # where nobody speaks.
    for seconds, speech, due in ((8, True, False), (10, True, False), (10, False, True),
                                 (12, True, True)):  # fmt: skip
        made = tiling(seconds * SECOND, speech=speech, patience=patience)
        made.show(Result("a", 0.0, 1.0, (HeardWord("on", 0.0, 1.0),)))
        assert made.is_turn_due() is due


@pytest.mark.parametrize(("last_spoken", "due"), [(7.4, True), (8.0, False)])
def test_a_stream_that_says_nothing_is_asked_to_end_where_no_word_is_cut(
    last_spoken: float, due: bool
) -> None:
    made = Tiling(0, Patience(unheard=10 * SECOND))
    frames = range(8 * SECOND // FRAME)
    made.take(np.ones(8 * SECOND, np.int16), [at * FRAME < last_spoken * SECOND for at in frames])
    made.send(8 * SECOND)
    assert made.is_turn_due() is due


@pytest.mark.parametrize("whole", [True, False])
def test_speech_is_given_up_whole(whole: bool) -> None:
    lost = tiling(SECOND, speech=True).give_up(whole=whole)
    assert (lost.start, lost.end, lost.words) == (0, SECOND, ())
    assert (lost.speech_start, lost.speech_end) == (0, SECOND // FRAME * FRAME)


@pytest.mark.parametrize(
    ("samples", "whole", "end"),
    [
        (SECOND, True, SECOND),
        # Behind it a word may have begun that is too soft yet, or not yet judged at all.
        (SECOND, False, SECOND // FRAME * FRAME - LEAD),
        (LEAD, False, 0),
    ],
)
def test_silence_is_given_up_as_far_as_it_is_known(samples: int, whole: bool, end: int) -> None:
    made = tiling(samples)
    silent = made.give_up(whole=whole)
    assert (silent.start, silent.end) == (0, end)
    assert silent.speech_start == silent.speech_end
    assert (made.border, made.sent, made.unsent) == (end, end, samples - end)
