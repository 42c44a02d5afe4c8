"""An engine is away after a row of failures, and back with the first try that succeeds."""

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from steno_transcriber.domain.backoff import FIRST_OUTAGE, LONGEST_OUTAGE, outage
from steno_transcriber.domain.breaker import ROW, ROW_SECONDS, Breaker

Step = Literal["worked", "failed", "session"]
steps = st.lists(
    st.tuples(st.floats(0, 100), st.sampled_from(["worked", "failed", "failed", "session"])),
    max_size=60,
)
"""What happens, each with the seconds since the step before."""


def away(at: float = 100.0) -> Breaker:
    """Give one that has opened at a time."""
    breaker = Breaker()
    for ago in (2.0, 1.0, 0.0):
        breaker.failed(at - ago)
    assert breaker.is_open
    return breaker


def test_three_failures_in_a_row_open_it_if_they_take_a_second() -> None:
    breaker = Breaker()
    opened = []
    for at in (0.0, 0.1, 0.9, 0.99, 1.0):
        breaker.failed(at)
        opened.append(breaker.is_open)
    assert opened == [False, False, False, False, True]
    breaker = Breaker()
    for at in (0.0, 60.0):
        breaker.failed(at)
    assert not breaker.is_open
    breaker.failed(60.0)
    assert breaker.is_open


def test_a_success_between_them_begins_the_row_anew() -> None:
    breaker = Breaker()
    for at in (0.0, 5.0):
        breaker.failed(at)
    breaker.worked()
    for at in (6.0, 6.4, 6.9):
        breaker.failed(at)
    assert not breaker.is_open
    breaker.failed(7.0)
    assert breaker.is_open


def test_as_long_as_it_is_closed_all_may_come() -> None:
    breaker = Breaker()
    assert [breaker.room(0.0, room) for room in (0, 1, 25)] == [0, 1, 25]
    assert all(breaker.admits(0.0) for _ in range(9))


def test_one_session_probes_after_five_seconds_and_the_others_go_elsewhere() -> None:
    breaker = away(100.0)
    assert [breaker.room(at, 25) for at in (100.0, 104.9, 105.0)] == [0, 0, 1]
    assert breaker.room(105.0, 0) == 0
    found = [breaker.admits(at) for at in (104.9, 105.0, 105.0, 106.0)]
    assert found == [False, True, False, False]
    assert breaker.room(106.0, 25) == 0


def test_a_probe_that_succeeds_lets_all_come_again() -> None:
    breaker = away(100.0)
    assert breaker.admits(105.0)
    breaker.worked()
    assert not breaker.is_open
    assert breaker.room(105.1, 25) == 25
    # The next outage is a first one again.
    for at in (200.0, 201.0, 202.0):
        breaker.failed(at)
    assert [breaker.admits(at) for at in (206.9, 207.0)] == [False, True]


def test_probes_that_fail_come_ever_more_rarely_up_to_one_a_minute() -> None:
    breaker, at, waits = away(0.0), 0.0, []
    for _ in range(6):
        begun = at
        while not breaker.admits(at):
            at += 1.0
        waits.append(at - begun)
        breaker.failed(at)
    assert waits == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]


def test_failures_of_those_who_were_there_before_put_no_probe_off() -> None:
    breaker = away(100.0)
    for at in (101.0, 103.0, 104.9):
        breaker.failed(at)
    assert breaker.admits(105.0)


def test_a_probe_that_never_says_a_word_is_followed_by_another() -> None:
    breaker = away(100.0)
    assert breaker.admits(105.0)
    assert [breaker.admits(at) for at in (109.9, 110.0)] == [False, True]


def test_a_success_of_whoever_is_there_closes_it_without_a_probe() -> None:
    breaker = away(100.0)
    breaker.worked()
    assert breaker.admits(100.1)


def test_an_outage_of_weeks_is_probed_every_minute() -> None:
    assert [outage(times) for times in (1, 2, 3, 4, 5, 10**6)] == [5, 10, 20, 40, 60, 60]


@given(steps)
def test_it_opens_only_for_a_row_and_nobody_is_kept_away_for_longer_than_a_minute(
    happening: list[tuple[float, Step]],
) -> None:
    breaker, at = Breaker(), 0.0
    row: list[float] = []
    probed: float | None = None
    for passed, step in happening:
        at += passed
        was_open = breaker.is_open
        if step == "worked":
            breaker.worked()
            row, probed = [], None
            assert not breaker.is_open
        elif step == "failed":
            breaker.failed(at)
            row.append(at)
            # Nothing but a success closes it.
            assert breaker.is_open >= was_open
        elif breaker.admits(at) and was_open:
            assert probed is None or at - probed >= FIRST_OUTAGE
            probed = at
        assert breaker.is_open == (len(row) >= ROW and row[-1] - row[0] >= ROW_SECONDS)
        free = breaker.room(at, 9)
        assert free == 9 if not breaker.is_open else free in (0, 1)
        assert breaker.room(at + LONGEST_OUTAGE, 9) > 0


@given(steps)
def test_it_has_room_for_whom_it_would_admit(happening: list[tuple[float, Step]]) -> None:
    breaker, at = Breaker(), 0.0
    for passed, step in happening:
        at += passed
        room = breaker.room(at, 9)
        if step == "worked":
            breaker.worked()
        elif step == "failed":
            breaker.failed(at)
        else:
            assert breaker.admits(at) == (room > 0)
