"""Where an utterance ends."""

from dataclasses import dataclass
from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st

from steno_common.utterances import join_text, parted, split_utterances

SILENCE = 48_000


@dataclass(frozen=True)
class Speech:
    start: int
    end: int


def _in_order(lengths: list[tuple[int, int]]) -> list[Speech]:
    ends = accumulate(gap + length for gap, length in lengths)
    return [Speech(end - length, end) for end, (_, length) in zip(ends, lengths, strict=True)]


gaps = st.integers(0, 2 * SILENCE) | st.sampled_from([SILENCE - 1, SILENCE, SILENCE + 1])
speeches = st.lists(st.tuples(gaps, st.integers(1, SILENCE))).map(_in_order)


def test_a_silence_parts_from_its_first_full_length_on() -> None:
    first = Speech(0, 16_000)
    assert not parted(first, Speech(63_999, 70_000), SILENCE)
    assert parted(first, Speech(64_000, 70_000), SILENCE)


def test_three_finals_with_two_silences_are_three_utterances() -> None:
    finals = [Speech(0, 16_000), Speech(64_000, 80_000), Speech(160_000, 176_000)]
    assert split_utterances(finals, SILENCE) == [[final] for final in finals]


def test_nothing_said_is_no_utterance() -> None:
    assert split_utterances([], SILENCE) == []


@given(speeches)
def test_every_final_is_in_one_utterance_in_order(finals: list[Speech]) -> None:
    groups = split_utterances(finals, SILENCE)
    assert [final for group in groups for final in group] == finals
    assert all(groups)


@given(speeches)
def test_silence_lies_between_utterances_but_never_inside(finals: list[Speech]) -> None:
    groups = split_utterances(finals, SILENCE)
    assert all(after[0].start - before[-1].end >= SILENCE for before, after in pairwise(groups))
    assert all(b.start - a.end < SILENCE for group in groups for a, b in pairwise(group))


@given(speeches, st.data())
def test_a_restart_at_any_final_gives_the_same_utterances(
    finals: list[Speech], data: st.DataObject
) -> None:
    known = finals[: data.draw(st.integers(0, len(finals)))]
    closed = split_utterances(known, SILENCE)[:-1]
    rest = finals[sum(map(len, closed)) :]
    assert closed + split_utterances(rest, SILENCE) == split_utterances(finals, SILENCE)


def test_texts_are_joined_by_one_space() -> None:
    assert (
        join_text([" and so", "", "  ", "my fellow  Americans "]) == "and so my fellow  Americans"
    )


@given(st.lists(st.text()), st.lists(st.text()))
def test_texts_may_be_joined_in_parts(first: list[str], second: list[str]) -> None:
    assert join_text([join_text(first), join_text(second)]) == join_text(first + second)
