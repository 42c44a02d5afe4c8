"""With little memory left a gateway takes less, and does not change its mind at every look."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_gateway.domain.pressure import Mark, Memory, Pressure

MIB = 1 << 20
GIB = 1 << 30

ratios = st.floats(0, 1.2, allow_nan=False)


@given(values=st.lists(ratios))
def test_between_two_changes_a_value_has_crossed_the_whole_gap(values: list[float]) -> None:
    mark, changes = Mark(0.7, 0.65), []
    for value in values:
        before = mark.passed
        if mark.take(value) is not before:
            changes.append(value)
    assert all(abs(one - other) > 0.7 - 0.65 - 1e-9 for one, other in pairwise(changes))
    assert all(value >= 0.7 for value in changes[::2])
    assert all(value < 0.65 for value in changes[1::2])


@pytest.mark.parametrize(
    ("values", "refusing", "holding"),
    [
        ([0.69], False, False),
        ([0.7], True, False),
        ([0.9], True, True),
        ([0.9, 0.86], True, True),
        ([0.9, 0.84], True, False),
        ([0.9, 0.66], True, False),
        ([0.9, 0.64], False, False),
        ([0.69, 0.66], False, False),
    ],
)
def test_a_redis_that_fills_first_gets_no_sessions_then_no_audio(
    values: list[float], refusing: bool, holding: bool
) -> None:
    pressure = Pressure(0.7, 0.9)
    for value in values:
        pressure.store([value])
    assert (pressure.refusing, pressure.holding) == (refusing, holding)


def test_of_several_redis_the_fullest_counts() -> None:
    pressure = Pressure(0.7, 0.9)
    pressure.store([0.1, 0.95, 0.2])
    assert pressure.holding
    pressure.store([0.1, 0.2, 0.2])
    assert not pressure.refusing
    pressure.store([])  # none has a bound any more
    assert not pressure.refusing


@given(value=ratios)
def test_a_ratio_of_zero_is_never_passed(value: float) -> None:
    pressure = Pressure(0, 0)
    pressure.store([value])
    assert not pressure.refusing
    assert not pressure.holding


@pytest.mark.parametrize(
    ("free", "limit", "low", "exhausted"),
    [
        (2 * GIB, 16 * GIB, False, False),
        (GIB, 16 * GIB, True, False),
        (257 * MIB, 16 * GIB, True, False),
        (256 * MIB, 16 * GIB, True, True),
        # A container of 512 MiB works below 1 GiB, as it must: a quarter of its limit is its mark.
        (400 * MIB, 512 * MIB, False, False),
        (129 * MIB, 512 * MIB, False, False),
        (128 * MIB, 512 * MIB, True, False),
        (32 * MIB, 512 * MIB, True, True),
        (0, 512 * MIB, True, True),
    ],
)
def test_the_mark_is_a_gib_or_a_quarter_of_a_smaller_limit(
    free: int, limit: int, low: bool, exhausted: bool
) -> None:
    pressure = Pressure(low_bytes=GIB)
    pressure.machine(Memory(free, limit))
    assert (pressure.low, pressure.refusing, pressure.exhausted) == (low, low, exhausted)


def test_memory_that_is_back_by_little_is_still_low() -> None:
    pressure = Pressure(low_bytes=GIB)
    seen = []
    for free in (GIB, 5 * GIB // 4, 5 * GIB // 4 + 1, GIB + 1, GIB):
        pressure.machine(Memory(free, 16 * GIB))
        seen.append(pressure.low)
    assert seen == [True, True, False, False, True]


@given(free=st.integers(0, GIB), limit=st.integers(0, 16 * GIB))
def test_zero_bytes_turn_it_off(free: int, limit: int) -> None:
    pressure = Pressure(low_bytes=0)
    pressure.machine(Memory(free, limit))
    assert not pressure.low
    assert not pressure.exhausted
