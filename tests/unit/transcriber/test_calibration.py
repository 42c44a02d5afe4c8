"""How many windows are best decoded at once."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_transcriber.engines.calibration import LONGEST_WAIT, Calibration, calibrate


def machine(fixed: float, each: float) -> Callable[[int], float]:
    """A batch costs a fixed time plus some for each window."""
    return lambda size: fixed + each * size


def test_where_batches_save_nothing_windows_go_alone() -> None:
    assert calibrate(machine(0.0, 0.01), 16, 10) == Calibration(1, 1, 0.01)


def test_where_batches_save_much_they_are_as_large_as_allowed() -> None:
    found = calibrate(machine(0.1, 0.001), 16, 10)
    assert (found.max_batch, found.max_partials) == (16, 16)
    assert found.window_seconds == pytest.approx(0.116 / 16)


def test_the_smallest_batch_is_taken_that_is_nearly_as_fast_as_the_best() -> None:
    seconds = {1: 1.0, 2: 1.2, 4: 1.7, 8: 3.1, 16: 6.2}
    found = calibrate(seconds.__getitem__, 16, 100)
    assert found == Calibration(4, 1, 0.425)


def test_a_batch_that_is_slower_than_a_smaller_one_is_not_taken() -> None:
    seconds = {1: 0.1, 2: 0.1, 4: 0.8}
    assert calibrate(seconds.__getitem__, 4, 100).max_batch == 2


def test_what_would_take_longer_than_the_budget_is_not_tried() -> None:
    tried: list[int] = []

    def run(size: int) -> float:
        tried.append(size)
        return 0.5 * size

    calibrate(run, 64, 2.0)
    assert tried == [1, 2]
    tried.clear()
    calibrate(run, 64, 0.1)
    assert tried == [1]


def test_a_batch_of_partials_is_no_longer_than_a_final_may_wait() -> None:
    found = calibrate(machine(1.0, 0.05), 16, 1_000)
    assert found.max_batch == 16
    assert found.max_partials * found.window_seconds <= LONGEST_WAIT
    assert calibrate(machine(0.0, 3.0), 16, 1_000).max_partials == 1


@given(st.floats(0, 1), st.floats(0.0001, 1), st.integers(1, 100), st.floats(0.01, 100))
def test_whatever_the_machine_the_sizes_are_usable(
    fixed: float, each: float, largest: int, budget: float
) -> None:
    tried: list[int] = []

    def run(size: int) -> float:
        tried.append(size)
        return fixed + each * size

    found = calibrate(run, largest, budget)
    assert 1 <= found.max_partials <= found.max_batch <= largest
    assert found.max_batch in tried
    assert sum(run(size) for size in tried[:-1]) <= budget or len(tried) == 1
    best = min(run(size) / size for size in [*tried])
    assert found.window_seconds * 0.9 <= best * 1.000001
