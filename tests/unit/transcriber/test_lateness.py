"""Lateness: when audio should be worked on, when its client is told that it was not."""

from hypothesis import given
from hypothesis import strategies as st

from steno_common.lateness import Schedule
from steno_transcriber.domain.lateness import Complaint


def test_live_audio_is_expected_when_it_arrives() -> None:
    schedule = Schedule()
    arrivals = [1_000, 1_100, 1_200, 5_000, 5_100]
    assert [schedule.expect(at, 1_600) for at in arrivals] == arrivals


def test_a_recording_that_arrives_at_once_is_expected_at_twice_the_pace_of_speech() -> None:
    schedule = Schedule()
    dues = [schedule.expect(1_000, 16_000) for _ in range(4)]
    assert dues == [1_000, 1_500, 2_000, 2_500]


def test_who_falls_silent_after_a_burst_is_live_again() -> None:
    schedule = Schedule()
    for _ in range(10):
        schedule.expect(1_000, 16_000)
    assert schedule.expect(7_000, 16_000) == 7_000


@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 64_000)), max_size=30))
def test_audio_is_never_expected_before_it_is_there_nor_out_of_order(
    pieces: list[tuple[int, int]],
) -> None:
    schedule, arrival, last = Schedule(), 0, 0.0
    for pause, samples in pieces:
        arrival += pause
        due = schedule.expect(arrival, samples)
        assert due >= max(arrival, last)
        last = due


def test_a_client_is_told_of_late_finals_once_in_thirty_seconds() -> None:
    complaint = Complaint()
    told = [complaint.is_due(at, late) for at, late in
            [(0, 3_000), (0, 3_001), (1_000, 9_000), (29_999, 9_000), (30_000, 9_000),
             (90_000, 2_000)]]  # fmt: skip
    assert told == [False, True, False, False, True, False]
