"""Samples for us, seconds for users."""

from hypothesis import given
from hypothesis import strategies as st

from steno_common.units import SAMPLE_RATE, to_samples, to_seconds

HOUR = 3600 * SAMPLE_RATE


def test_a_second_is_16_000_samples() -> None:
    assert to_samples(1.0) == 16_000
    assert to_seconds(24_000) == 1.5


@given(st.integers(0, 3_600_000))
def test_a_whole_millisecond_survives_the_way_there_and_back(ms: int) -> None:
    assert to_seconds(to_samples(ms / 1000)) == ms / 1000


@given(st.integers(0, 10 * HOUR))
def test_a_user_sees_the_nearest_millisecond(samples: int) -> None:
    assert abs(to_seconds(samples) * SAMPLE_RATE - samples) <= 8.001


@given(st.lists(st.integers(0, HOUR), min_size=2))
def test_order_is_kept(positions: list[int]) -> None:
    assert list(map(to_seconds, sorted(positions))) == sorted(map(to_seconds, positions))
