"""Agreement of successive hypotheses."""

from hypothesis import given
from hypothesis import strategies as st

from steno_common.messages import Word
from steno_transcriber.domain.agreement import Agreement, same_word

hypotheses = st.lists(st.lists(st.sampled_from(["a", "b", "A", "c."]), max_size=6), max_size=8)


def words(*texts: str) -> tuple[Word, ...]:
    return tuple(Word(text, 10 * at, 10 * at + 10, 0.5) for at, text in enumerate(texts))


def texts(of: tuple[Word, ...]) -> list[str]:
    return [word.text for word in of]


@given(hypotheses)
def test_what_is_agreed_only_grows_and_is_always_shown(updates: list[list[str]]) -> None:
    agreement = Agreement()
    before: tuple[Word, ...] = ()
    for update in updates:
        shown = agreement.update(words(*update))
        assert agreement.agreed[: len(before)] == before
        assert shown[: len(agreement.agreed)] == agreement.agreed
        assert len(shown) == max(len(update), len(agreement.agreed))
        assert 0 <= agreement.stability(shown) <= 1
        before = agreement.agreed


@given(hypotheses, st.lists(st.sampled_from("abc"), min_size=1, max_size=5))
def test_a_repeated_hypothesis_is_agreed_whole_and_changes_nothing_more(
    updates: list[list[str]], last: list[str]
) -> None:
    agreement = Agreement()
    for update in updates:
        agreement.update(words(*update))
    once = agreement.update(words(*last))
    again = agreement.update(words(*last))
    assert texts(again) == texts(once)
    assert agreement.stability(again) == 1.0
    assert agreement.update(words(*last)) == again


def test_words_become_stable_when_two_hypotheses_begin_with_them() -> None:
    agreement = Agreement()
    assert agreement.stability(agreement.update(words("and", "saw"))) == 0.0
    shown = agreement.update(words("And,", "so", "my"))
    assert (texts(shown), agreement.stability(shown)) == (["And,", "so", "my"], 0.333)
    shown = agreement.update(words("an", "so", "my", "fellow"))
    assert texts(shown) == ["And,", "so", "my", "fellow"]
    assert agreement.stability(shown) == 0.25


def test_nothing_shown_is_not_stable() -> None:
    assert Agreement().stability(()) == 0.0


def test_words_are_compared_as_they_sound() -> None:
    one, other, dash = words("Hello,", "hello", "-")
    assert same_word(one, other)
    assert not same_word(dash, one)
