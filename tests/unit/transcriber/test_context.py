"""What is carried over a border."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_common.messages import Word
from steno_transcriber.domain.context import CONTEXT_CHARACTERS, Context, decode_context
from steno_transcriber.domain.hypothesis import Hypothesis


def said(
    text: str, language: str | None = "en", *, sure: float = 1.0, trusted: bool = True
) -> Hypothesis:
    words = tuple(Word(word, 0, 1, 1.0) for word in text.split())
    return Hypothesis(text, words, language, language_probability=sure, trusted=trusted)


@given(st.text(), st.none() | st.text())
def test_a_context_comes_back_from_its_checkpoint(text: str, language: str | None) -> None:
    context = Context(text, language)
    assert decode_context(context.encode()) == context


def test_the_form_of_checkpoints_is_short_and_stays_what_it_is() -> None:
    assert Context().encode() == ""
    assert Context("So we go.").encode() == '{"text":"So we go."}'
    assert decode_context('{"text":"Grüße.","language":"de"}') == Context("Grüße.", "de")


@pytest.mark.parametrize("text", ['{"text": 3}', '{"language": ["en"], "stream": "x"}'])
def test_what_another_engine_kept_for_itself_is_no_prompt(text: str) -> None:
    assert decode_context(text) == Context()


def test_what_another_engine_adds_is_passed_over() -> None:
    assert decode_context('{"text": "so far", "stream": {"id": 7}}') == Context("so far")


@pytest.mark.parametrize("text", ["Plain text.", "{", "null"])
def test_a_checkpoint_of_another_form_counts_as_text(text: str) -> None:
    assert decode_context(text) == Context(text)


@given(st.lists(st.tuples(st.text(alphabet="abc d", max_size=90), st.booleans()), max_size=12))
def test_the_text_is_bounded_and_the_end_of_what_was_said(
    said_so_far: list[tuple[str, bool]],
) -> None:
    context = Context()
    for text, trusted in said_so_far:
        whole = f"{context.text} {text}".strip()
        context = context.after(said(text, trusted=trusted))
        assert len(context.text) <= CONTEXT_CHARACTERS
        if not trusted:
            assert context.text == ""
        elif len(whole) <= CONTEXT_CHARACTERS:
            assert context.text == whole
        else:
            assert whole.endswith(f" {context.text}")


def test_the_text_begins_with_a_whole_word() -> None:
    assert Context("x" * 10 + " " + "y" * 198).after(said("end")).text == "end"
    assert Context("first " + "y" * 190).after(said("of all")).text == "y" * 190 + " of all"


def test_text_that_passed_no_check_ends_the_prompt_but_not_the_language() -> None:
    context = Context("before", "de").after(said("loop loop loop", "en", trusted=False))
    assert context == Context("", "de")


@pytest.mark.parametrize(
    ("heard", "language"),
    [
        (said("hello", "en", sure=0.5), "en"),
        (said("hello", "en", sure=0.49), None),
        (said("hello", "en", trusted=False), None),
        (said("", "en"), None),
        (said("hello", None), None),
    ],
    ids=["sure", "unsure", "not trusted", "silence", "no language"],
)
def test_a_language_is_kept_once_it_is_sure(heard: Hypothesis, language: str | None) -> None:
    assert Context().after(heard).language == language


@given(st.lists(st.tuples(st.sampled_from(["en", "de"]), st.floats(0, 1), st.booleans())))
def test_the_first_sure_language_stays(heard: list[tuple[str, float, bool]]) -> None:
    context = Context()
    for language, sure, trusted in heard:
        context = context.after(said("word", language, sure=sure, trusted=trusted))
    sure_ones = [language for language, sure, trusted in heard if trusted and sure >= 0.5]
    assert context.language == next(iter(sure_ones), None)
