"""When an open segment is worth another partial."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_transcriber.domain.cadence import MOST_STRETCH, Pace, due

waits = st.lists(st.floats(0, 60), max_size=60)


@pytest.mark.parametrize(
    ("audio_end", "shown_until", "expected"),
    [
        (8_999, None, False),
        (9_000, None, True),
        (9_000, 6_000, False),
        (9_199, 6_000, False),
        (9_200, 6_000, True),
    ],
)
def test_the_first_is_due_after_half_a_second_the_others_after_the_interval(
    audio_end: int, shown_until: int | None, expected: bool
) -> None:
    found = due(speech_start=1_000, audio_end=audio_end, shown_until=shown_until, interval=3_200)
    assert found is expected


@given(st.integers(1_600, 64_000), st.integers(100, 3_200), st.integers(20, 200))
def test_partials_are_an_interval_apart_whatever_the_chunks(
    interval: int, chunk: int, chunks: int
) -> None:
    shown: list[int] = []
    for end in range(chunk, chunk * chunks, chunk):
        until = shown[-1] if shown else None
        if due(speech_start=0, audio_end=end, shown_until=until, interval=interval):
            shown.append(end)
    gaps = [later - earlier for earlier, later in pairwise(shown)]
    assert all(interval <= gap < interval + chunk for gap in gaps)
    assert not shown or 8_000 <= shown[0] < 8_000 + chunk


def test_without_load_the_interval_is_as_asked_for() -> None:
    pace = Pace()
    assert pace.stretch == 1
    for _ in range(100):
        pace.observe(0.15)
    assert pace.stretch == 1


@given(waits)
def test_the_stretch_is_bounded_whatever_the_waits(waits: list[float]) -> None:
    pace = Pace()
    for wait in waits:
        pace.observe(wait)
        assert 1 <= pace.stretch <= MOST_STRETCH


@given(waits, st.floats(0, 60))
def test_a_longer_wait_never_shortens_the_interval(waits: list[float], longer: float) -> None:
    pace, other = Pace(), Pace()
    for wait in waits:
        pace.observe(wait)
        other.observe(wait + longer)
        assert other.stretch >= pace.stretch


def test_load_stretches_the_interval_and_its_end_brings_it_back() -> None:
    pace = Pace()
    for _ in range(40):
        pace.observe(0.8)
    assert pace.stretch == pytest.approx(4, abs=0.1)
    for _ in range(40):
        pace.observe(0.0)
    assert pace.stretch == 1


def test_one_slow_batch_changes_nothing() -> None:
    pace = Pace()
    pace.observe(1.0)
    assert pace.stretch == 1
