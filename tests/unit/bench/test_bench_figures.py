import pytest
from bench.recognition.figures import Spread, percentile, spread
from hypothesis import given
from hypothesis import strategies as st


def test_a_percentile_lies_between_its_neighbours_by_proportion() -> None:
    values = [40.0, 10.0, 30.0, 20.0, 50.0]
    assert percentile(values, 0.0) == 10.0
    assert percentile(values, 0.5) == 30.0
    assert percentile(values, 0.95) == pytest.approx(48.0)
    assert percentile(values, 1.0) == 50.0


def test_one_value_is_every_percentile() -> None:
    assert spread([7.0]) == Spread(1, 7.0, 7.0, 7.0)


def test_no_values_have_a_spread_of_nothing_but_no_percentile() -> None:
    assert spread([]) == Spread(0, 0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


@given(st.lists(st.integers(0, 1000).map(float), min_size=1))
def test_percentiles_grow_with_their_share(values: list[float]) -> None:
    found = spread(values)
    assert min(values) <= found.p50 <= found.p95 <= found.p99 <= max(values)
