"""When a process that ended is started again."""

from hypothesis import given
from hypothesis import strategies as st

from steno_standalone.domain.restarts import Restarts


def delays(lifetimes: list[float]) -> list[float]:
    restarts, found = Restarts(), []
    for lifetime in lifetimes:
        restarts = restarts.ended_after(lifetime)
        found.append(restarts.delay_seconds)
    return found


def test_delays_double_up_to_five_seconds() -> None:
    assert delays([0.0] * 8) == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


def test_ten_seconds_of_life_clear_the_record() -> None:
    assert delays([0.0, 0.0, 9.9, 10.0, 0.0]) == [0.1, 0.2, 0.4, 0.1, 0.2]


@given(st.lists(st.floats(0, 1e6), min_size=1), st.integers(0, 10**9))
def test_every_delay_is_within_its_bounds(lifetimes: list[float], many: int) -> None:
    assert all(0.1 <= delay <= 5.0 for delay in delays(lifetimes))
    assert 0.1 <= Restarts(many).ended_after(0.0).delay_seconds <= 5.0
