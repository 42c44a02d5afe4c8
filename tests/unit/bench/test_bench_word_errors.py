import pytest
from bench.recognition.word_errors import NOTHING, WordErrors, compare, normalised
from hypothesis import given
from hypothesis import strategies as st

SENTENCES = st.lists(st.sampled_from(["a", "b", "c"]), max_size=8)


def test_words_are_compared_without_case_and_punctuation() -> None:
    assert normalised("  Hot, Peter — today?") == ["hot", "peter", "today"]


def test_an_apostrophe_stays_within_a_word_in_either_form() -> None:
    assert normalised("It's Anna\N{RIGHT SINGLE QUOTATION MARK}s 'red' one") == [
        "it's", "anna's", "red", "one",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("reference", "hypothesis", "edits"),
    [
        ("set the alarm", "set the alarm", WordErrors(3, 0, 0, 0)),
        ("set the alarm", "set an alarm", WordErrors(3, 1, 0, 0)),
        ("set the alarm", "set alarm", WordErrors(3, 0, 1, 0)),
        ("set the alarm", "now set the alarm", WordErrors(3, 0, 0, 1)),
        ("set the alarm", "", WordErrors(3, 0, 3, 0)),
        ("", "set", WordErrors(0, 0, 0, 1)),
        ("one two three four", "two three five four six", WordErrors(4, 0, 1, 2)),
    ],
)
def test_edits_are_counted_by_kind(reference: str, hypothesis: str, edits: WordErrors) -> None:
    assert compare(reference.split(), hypothesis.split()) == edits


def test_the_rate_is_edits_per_word_of_the_reference() -> None:
    assert WordErrors(8, 1, 1, 2).rate == 0.5
    assert WordErrors(0, 0, 0, 3).rate == 1.0
    assert NOTHING.rate == 0.0


def test_errors_of_sessions_add_up() -> None:
    assert WordErrors(8, 1, 0, 2) + WordErrors(2, 0, 1, 0) == WordErrors(10, 1, 1, 2)


@given(SENTENCES, SENTENCES)
def test_an_error_in_one_direction_is_the_opposite_in_the_other(
    one: list[str], other: list[str]
) -> None:
    there, back = compare(one, other), compare(other, one)
    assert there.edits == back.edits
    assert there.deletions - there.insertions == len(one) - len(other)


@given(SENTENCES, SENTENCES, SENTENCES)
def test_a_detour_is_never_shorter(one: list[str], over: list[str], other: list[str]) -> None:
    assert compare(one, other).edits <= compare(one, over).edits + compare(over, other).edits
