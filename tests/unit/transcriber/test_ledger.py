"""The ledger: which entries a border has consumed."""

from hypothesis import given
from hypothesis import strategies as st

from steno_transcriber.domain.ledger import Consumed, Ledger, Place


def test_a_chunk_is_consumed_once_all_of_it_lies_before_the_border() -> None:
    ledger = Ledger("0-0", 0, 0)
    ledger.add("1-0", 1, 100, 5)
    ledger.add("2-0", 2, 100, 6)
    assert ledger.consume(150) == Consumed("1-0", 1, 100)
    assert ledger.consume(199) == Consumed("1-0", 1, 100)
    assert ledger.consume(200) == Consumed("2-0", 2, 200)


def test_a_chunk_without_samples_goes_with_the_border_it_stands_at() -> None:
    ledger = Ledger("0-0", 0, 0)
    ledger.add("1-0", 1, 0, 5)
    ledger.add("2-0", 2, 100, 6)
    assert ledger.consume(0) == Consumed("1-0", 1, 0)


def test_a_position_is_covered_by_the_chunk_of_the_sample_before_it() -> None:
    ledger = Ledger("4-0", 4, 1_000)
    ledger.add("5-0", 5, 100, 50)
    ledger.add("6-0", 6, 100, 60)
    assert ledger.covering(1_100) == Place("5-0", 5, 1_100, 50)
    assert ledger.covering(1_101) == Place("6-0", 6, 1_200, 60)
    assert ledger.covering(9_999) == Place("6-0", 6, 1_200, 60)
    assert Ledger("4-0", 4, 1_000).covering(1_000) is None


def test_a_chunk_keeps_when_it_arrived_and_when_it_was_due() -> None:
    ledger = Ledger("0-0", 0, 0)
    ledger.add("1-0", 1, 100, 5, due_ms=7.5)
    assert ledger.covering(100) == Place("1-0", 1, 100, arrival_ms=5, due_ms=7.5)


def test_a_marker_is_consumed_with_its_tail() -> None:
    ledger = Ledger("0-0", 0, 0)
    ledger.add("1-0", 1, 100, 5)
    ledger.consume(100)
    assert ledger.pass_marker("1-1", 20) == Consumed("1-1", 1, 120)
    assert ledger.end == 120


@given(
    sizes=st.lists(st.integers(0, 50), max_size=20),
    borders=st.lists(st.integers(0, 1_000), max_size=20),
)
def test_the_offset_never_passes_the_border_and_never_goes_back(
    sizes: list[int], borders: list[int]
) -> None:
    ledger = Ledger("0-0", 0, 0)
    for number, size in enumerate(sizes, 1):
        ledger.add(f"{number}-0", number, size, 0)
    end, offset, done = ledger.end, 0, 0
    for border in sorted(border for border in borders if border <= end):
        consumed = ledger.consume(border)
        assert offset <= consumed.offset <= border
        assert consumed.done >= done
        assert consumed.offset == sum(sizes[: consumed.done])
        assert consumed.done == len(sizes) or sum(sizes[: consumed.done + 1]) > border
        offset, done = consumed.offset, consumed.done
    assert ledger.end == end
