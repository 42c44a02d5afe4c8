"""A client is told once that its text lags, and once that this is over."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from steno_gateway.domain.lag import TOLD_SECONDS, LagWatch


def test_audio_that_nobody_takes_for_three_seconds_is_told_of_once() -> None:
    watch = LagWatch()
    told = [watch.look(now, unclaimed=True, stored=now, done=0) for now in range(10)]
    assert told == [None] * 3 + ["high_latency"] + [None] * 6


def test_it_is_over_once_all_that_had_waited_is_transcribed() -> None:
    watch = LagWatch()
    for now in range(6):
        watch.look(now, unclaimed=True, stored=10 * now, done=0)
    told = [watch.look(6 + n, unclaimed=False, stored=60, done=done)
            for n, done in enumerate((0, 49, 50, 60))]  # fmt: skip
    assert told == [None, None, "latency_normal", None]


def test_audio_that_is_taken_in_time_is_not_told_of() -> None:
    watch = LagWatch()
    waits = [True, True, True, False] * 5
    looked = [watch.look(now, unclaimed=waiting, stored=now, done=0)
              for now, waiting in enumerate(waits)]  # fmt: skip
    assert looked == [None] * 20


def test_a_final_that_came_late_is_over_once_all_stored_then_is_transcribed() -> None:
    watch = LagWatch()
    watch.late(stored=20)
    assert watch.look(0.0, unclaimed=False, stored=25, done=19) is None
    watch.late(stored=30)  # the transcriber tells once in a while
    assert watch.look(1.0, unclaimed=False, stored=35, done=29) is None
    assert watch.look(2.0, unclaimed=False, stored=40, done=30) == "latency_normal"


def test_a_transcriber_that_dies_while_it_is_late_is_no_news() -> None:
    watch = LagWatch()
    watch.late(stored=20)
    told = [watch.look(now, unclaimed=True, stored=30, done=20) for now in range(8)]
    assert told == [None] * 8
    assert watch.look(8.0, unclaimed=False, stored=30, done=29) is None
    assert watch.look(9.0, unclaimed=False, stored=30, done=30) == "latency_normal"


def test_a_partial_that_took_more_than_three_seconds_is_told_of_once_until_that_is_over() -> None:
    watch = LagWatch()
    told = [watch.slow(latency, stored=20) for latency in (2_999.0, 3_000.0, 3_001.0, 9_000.0)]
    assert told == [None, None, "high_latency", None]
    assert watch.look(0.0, unclaimed=False, stored=25, done=19) is None
    assert watch.look(1.0, unclaimed=False, stored=25, done=20) == "latency_normal"
    assert watch.slow(3_001.0, stored=30) == "high_latency"


@given(steps=st.lists(st.tuples(st.floats(0, 5), st.booleans(), st.integers(0, 9),
                                st.integers(0, 9), st.booleans())))  # fmt: skip
def test_the_two_are_told_in_turn_and_never_too_early(
    steps: list[tuple[float, bool, int, int, bool]],
) -> None:
    watch, now, stored, done = LagWatch(), 0.0, 0, 0
    told: list[str] = []
    unclaimed_since = None
    for seconds, unclaimed, more, finished, late in steps:
        now, stored = now + seconds, stored + more
        done = min(stored, done + finished)
        if late:
            watch.late(stored)
            told += ["high_latency"] if told[-1:] != ["high_latency"] else []
        unclaimed_since = (unclaimed_since if unclaimed_since is not None else now) if (
            unclaimed) else None  # fmt: skip
        news = watch.look(now, unclaimed=unclaimed, stored=stored, done=done)
        if news == "high_latency":
            assert unclaimed_since is not None
            assert now - unclaimed_since >= TOLD_SECONDS
        if news == "latency_normal":
            assert not unclaimed
        told += [news] if news else []
    assert told[:1] != ["latency_normal"]
    assert all(one != other for one, other in pairwise(told))
