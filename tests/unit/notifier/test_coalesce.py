"""Coalescing drops only what something later in the batch says better."""

from hypothesis import given
from hypothesis import strategies as st

from steno_notifier.domain.coalesce import Ring, coalesce

batches = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([b"", b"1", b"2", b"3"])))

BELL = b""


def test_many_bells_of_a_session_become_the_last_one() -> None:
    assert coalesce([("a", BELL), ("b", BELL), ("a", BELL)]) == [("b", BELL), ("a", BELL)]


def test_the_newest_partial_of_a_session_wins() -> None:
    assert coalesce([("a", b"1"), ("b", b"1"), ("a", b"2")]) == [("b", b"1"), ("a", b"2")]


def test_a_bell_stays_behind_the_partial_it_came_after() -> None:
    assert coalesce([("a", b"1"), ("a", BELL)]) == [("a", b"1"), ("a", BELL)]


def test_a_partial_stays_behind_the_bell_it_came_after() -> None:
    assert coalesce([("a", b"1"), ("a", BELL), ("a", b"2")]) == [("a", BELL), ("a", b"2")]


@given(batches)
def test_at_most_one_bell_and_one_partial_of_a_session_are_left(rings: list[Ring]) -> None:
    kinds = [(session_id, bool(partial)) for session_id, partial in coalesce(rings)]

    assert len(kinds) == len(set(kinds))


@given(batches)
def test_after_every_ring_there_is_one_of_its_session_and_kind(rings: list[Ring]) -> None:
    kept = coalesce(rings)

    def last(batch: list[Ring], session_id: str, kind: bool) -> list[Ring]:
        return [ring for ring in batch if (ring[0], bool(ring[1])) == (session_id, kind)][-1:]

    for session_id, partial in rings:
        assert last(kept, session_id, bool(partial)) == last(rings, session_id, bool(partial)) != []


@given(batches)
def test_what_is_left_keeps_its_order(rings: list[Ring]) -> None:
    rest = iter(rings)

    assert all(ring in rest for ring in coalesce(rings))


@given(batches)
def test_coalescing_again_changes_nothing(rings: list[Ring]) -> None:
    assert coalesce(coalesce(rings)) == coalesce(rings)


@given(batches, st.integers(0, 20))
def test_a_batch_coalesced_in_two_parts_ends_the_same(rings: list[Ring], cut: int) -> None:
    assert coalesce(coalesce(rings[:cut]) + rings[cut:]) == coalesce(rings)
