"""Capacity: what sessions cost, how many more fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_transcriber.domain.capacity import (
    WINDOW_SECONDS,
    Engine,
    Load,
    Meter,
    economy,
    hard_room,
    measured,
    room,
)

costs = st.floats(0, 2)
loads = st.builds(
    Load,
    sessions=st.integers(0, 100),
    places=st.integers(1, 8),
    session_cost=costs,
    final_cost=costs,
)


def _worked(seconds: int, sessions: int, **each_second: float) -> Meter:
    """Give the meter of sessions that did the same every second."""
    meter = Meter()
    for second in range(seconds):
        meter.add(second + 0.5, "session_seconds", sessions)
        for name, value in each_second.items():
            meter.add(second + 0.5, name, value)
    return meter


def test_a_meter_forgets_what_is_older_than_its_window() -> None:
    meter = Meter()
    meter.add(0.0, "a", 5.0)
    meter.add(19.9, "a", 1.0)
    assert meter.total(19.9, "a") == 6.0
    assert meter.mean(19.9, "a") == 3.0
    assert meter.total(20.0, "a") == 1.0
    assert meter.total(20.0, "a", seconds=3) == 1.0
    assert meter.total(40.0, "a") == meter.mean(40.0, "a") == 0.0
    assert meter.largest("a") == 5.0
    assert meter.largest("b") == 0.0


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 10)), max_size=50))
def test_a_meter_holds_the_sum_of_its_window(values: list[tuple[float, float]]) -> None:
    meter, ordered = Meter(), sorted(values)
    for at, value in ordered:
        meter.add(at, "a", value)
    if not ordered:
        return
    now = ordered[-1][0]
    held = sum(value for at, value in ordered if int(at) > now - WINDOW_SECONDS)
    assert meter.total(now, "a") == pytest.approx(held)


def test_what_sessions_need_counts_partials_that_were_due_not_those_decoded() -> None:
    # 4 sessions: finals take 0.2 s a second; of 8 partials that are due, 2 of 0.05 s are decoded.
    meter = _worked(10, 4, final_seconds=0.2, partials_due=8, audio_seconds=4)
    for second in range(10):
        meter.add(second, "partial_seconds", 0.05)
        meter.add(second, "partial_seconds", 0.05)
    load = measured(meter, 9.5, Engine(), sessions=4, lag=0.0)
    assert load.demand == pytest.approx(0.2 + 8 * 0.05)
    assert load.least == pytest.approx(0.2)
    assert load.realtime_factor == pytest.approx(0.3 / 4)


def test_what_sessions_need_follows_their_number_at_once() -> None:
    meter = _worked(10, 4, final_seconds=0.4)
    assert measured(meter, 9.5, Engine(), sessions=8, lag=0.0).demand == pytest.approx(0.8)
    assert measured(meter, 9.5, Engine(), sessions=0, lag=0.0).demand == 0.0


def test_before_anything_is_measured_the_engines_own_figure_counts() -> None:
    load = measured(Meter(), 0.0, Engine(2, window_seconds=0.1), sessions=4, lag=0.0)
    assert load.session_cost == pytest.approx(0.15)
    assert load.final_cost == pytest.approx(0.05)
    assert room(load, 100) == 6
    assert room(measured(Meter(), 0.0, Engine(), sessions=0, lag=0.0), 100) == 100


def test_what_is_measured_outweighs_the_engines_own_figure_in_time() -> None:
    meter = _worked(20, 10, final_seconds=1.0)
    load = measured(meter, 19.5, Engine(1, window_seconds=1.0), sessions=10, lag=0.0)
    assert 0.1 < load.session_cost < 0.2


def test_partials_that_are_due_and_never_decoded_are_counted_as_dear_as_finals() -> None:
    meter = _worked(10, 1, final_seconds=0.3, partials_due=2)
    load = measured(meter, 9.5, Engine(), sessions=1, lag=0.0)
    assert load.demand == pytest.approx(0.3 + 2 * 0.3)


def test_windows_are_cheaper_in_fuller_batches() -> None:
    # A batch takes 80 ms and 20 ms for each window; seconds with 1, with 2 windows a batch.
    seconds = [(5, 5 * n, 5 * (0.08 + 0.02 * n)) for n in (1, 2, 1, 2)]
    assert economy(seconds, largest=2) == pytest.approx((0.04 + 0.02) / (0.08 / 1.5 + 0.02))
    assert economy(seconds, largest=16) == pytest.approx((0.08 / 3 + 0.02) / (0.08 / 1.5 + 0.02))


def test_the_price_of_a_session_is_that_in_fuller_batches() -> None:
    # 1 window of 100 ms in a batch, then 3 of 60 ms: `a` is 60 ms, `b` 40 ms.
    meter = Meter()
    for second, windows, each in ((0, 1, 0.1), (1, 3, 0.06)):
        meter.add(second, "session_seconds", 2)
        meter.add(second, "batch_windows", windows)
        meter.add(second, "batch_seconds", windows * each)
        for _ in range(windows):
            meter.add(second, "final_seconds", each)
    assert meter.batches(1) == [(1, 1, pytest.approx(0.1)), (1, 3, pytest.approx(0.18))]
    load = measured(meter, 1, Engine(), sessions=1, lag=0.0)
    # 4 windows in 4 s of sessions, in batches of 3 as the largest there has been.
    assert load.session_cost == pytest.approx(0.06 / 3 + 0.04)


def test_nothing_is_expected_of_batches_of_one_size() -> None:
    assert economy([(5, 5, 0.5), (3, 3, 0.3)], largest=1) == 1.0
    assert economy([(5, 20, 0.5), (3, 12, 0.2)], largest=4) == 1.0
    assert economy([], largest=0) == 1.0
    assert economy([(0, 3, 0.0)], largest=3) == 1.0


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 64), st.floats(0, 5)), max_size=20),
    st.integers(0, 64),
)
def test_a_fuller_batch_at_most_halves_what_a_window_costs(
    seconds: list[tuple[int, int, float]], largest: int
) -> None:
    assert 0.499 <= economy(seconds, largest) <= 1.0001


def test_sessions_fit_until_four_fifths_of_the_places_are_needed() -> None:
    load = Load(sessions=5, places=1, session_cost=0.1, final_cost=0.05)
    assert room(load, 100) == 3
    assert room(load, 6) == 1
    assert room(Load(sessions=9, places=1, session_cost=0.1), 100) == 0


def test_finals_alone_may_need_nine_tenths() -> None:
    load = Load(sessions=10, places=1, session_cost=0.1, final_cost=0.05)
    assert (room(load, 100), hard_room(load, 100)) == (0, 8)
    assert hard_room(Load(sessions=20, places=1, session_cost=0.1, final_cost=0.05), 100) == 0


def test_the_slowest_worker_has_room_for_one() -> None:
    assert room(Load(session_cost=5.0, final_cost=5.0), 10) == 1
    assert room(Load(session_cost=5.0, final_cost=5.0), 0) == 0


@given(loads, st.integers(0, 128))
def test_who_takes_what_fits_stays_within_the_bounds(load: Load, most: int) -> None:
    comfortable, hard = room(load, most), hard_room(load, most)
    assert 0 <= comfortable <= hard <= max(0, most - load.sessions)
    if load.sessions and comfortable:
        assert (load.sessions + comfortable) * load.session_cost <= 0.8 * load.places + 1e-6
    if load.sessions and hard > comfortable:
        assert (load.sessions + hard) * load.final_cost <= 0.9 * load.places + 1e-6
