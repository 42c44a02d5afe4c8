"""Words of a window put into the session."""

from hypothesis import given
from hypothesis import strategies as st

from steno_common.messages import Word
from steno_transcriber.domain.hypothesis import Hypothesis, extend_context, placed


def said(text: str, *, trusted: bool = True) -> Hypothesis:
    return Hypothesis(text=text, words=(Word(text, 0, 1, 1.0),), trusted=trusted)


def test_word_times_count_from_the_start_of_the_session() -> None:
    heard = Hypothesis("one two", (Word("one", -5, 90, 0.5), Word("two", 90, 250, 0.7)))
    assert placed(heard, 1_000, 200) == Hypothesis(
        "one two", (Word("one", 1_000, 1_090, 0.5), Word("two", 1_090, 1_200, 0.7))
    )


def test_words_beyond_the_audio_are_dropped_from_words_and_text() -> None:
    heard = Hypothesis("one, two", (Word("one,", 0, 90, 0.5), Word("two", 200, 250, 0.7)))
    assert placed(heard, 0, 200) == Hypothesis("one,", (Word("one,", 0, 90, 0.5),))


@given(st.lists(st.text(alphabet="abc d", max_size=60), max_size=12))
def test_the_context_is_bounded_and_ends_like_the_text(texts: list[str]) -> None:
    context = ""
    for text in texts:
        before, context = context, extend_context(context, said(text))
        assert len(context) <= 200
        assert f"{before} {text}".strip().endswith(context)


def test_the_context_begins_with_a_whole_word() -> None:
    assert extend_context("x" * 10 + " " + "y" * 198, said("end")) == "end"
    assert extend_context("first " + "y" * 190, said("of all")) == "y" * 190 + " of all"


def test_text_that_passed_no_check_is_no_context() -> None:
    assert extend_context("before", said("loop loop loop", trusted=False)) == ""
