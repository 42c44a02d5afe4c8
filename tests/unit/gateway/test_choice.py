"""R3: broadcast to listeners of that language. Who chose what is told that, nobody more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_common.messages import Event, Final, Partial, Status, Translation, Utterance, Warned
from steno_gateway.domain.choice import EVERYTHING_SAID, Choice, chosen_languages, flag
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.languages import canonical, within

FINAL = Final("word", (), 0, 100, 1.0, 1, 1)
PARTIAL = Partial("wo", (), 0, 50, 1.0, 0.5, 1, 0)
SAID: list[Event | Partial] = [PARTIAL, FINAL, Utterance(0, "word", 0, 100, 1.0, 2, 2)]
HOW: list[Event | Partial] = [Status("recording"), Warned("c", "m")]


@pytest.mark.parametrize(
    ("tag", "usual"),
    [("ES", "es"), ("pt-br", "pt-BR"), ("zh-hant-tw", "zh-Hant-TW"), ("ast", "ast"),
     ("DE-1996", "de-1996"), ("sr-latn", "sr-Latn")],
)  # fmt: skip
def test_a_tag_has_one_spelling(tag: str, usual: str) -> None:
    assert canonical(tag) == usual


@pytest.mark.parametrize("text", ["", "multi", "e", "es_MX", "es-", "es\n", "es-MX\n", "*", "ñu",
                                  "es-" + "abcdefgh-" * 4 + "x1"])  # fmt: skip
def test_what_is_no_tag_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no language tag"):
        canonical(text)


@given(st.from_regex(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}", fullmatch=True))
def test_a_spelling_stays_what_it_is(tag: str) -> None:
    usual = canonical(tag)
    assert (canonical(usual), usual.lower()) == (usual, tag.lower())


def test_a_language_takes_in_its_kinds_and_no_other() -> None:
    assert [within("es", tag) for tag in ("es", "es-MX", "est", "en")] == [True, True, False, False]
    assert [within("es-MX", tag) for tag in ("es", "es-MX", "es-ES")] == [False, True, False]


def test_without_a_language_nobody_is_told_of_translations() -> None:
    assert all(EVERYTHING_SAID.wants(item) for item in SAID + HOW)
    assert not EVERYTHING_SAID.wants(Translation("es", "hola", 2))


def test_a_chosen_language_comes_beside_the_original_or_in_its_place() -> None:
    both, alone = Choice(("es", "fr")), Choice(("es",), original=False)
    assert all(both.wants(item) for item in SAID + HOW)
    assert both.wants(Translation("es-MX", "hola", 2))
    assert not both.wants(Translation("de", "hallo", 2))
    assert not any(alone.wants(item) for item in SAID)
    assert all(alone.wants(item) for item in [*HOW, Translation("es", "hola", 2)])


@pytest.mark.parametrize(
    ("values", "languages"),
    [([], ()), (["es"], ("es",)), (["es,fr", "de"], ("es", "fr", "de")), (["", ","], ()),
     (["ES, es"], ("es",))],
)  # fmt: skip
def test_languages_are_repeated_or_a_list(values: list[str], languages: tuple[str, ...]) -> None:
    assert chosen_languages(values) == languages


@pytest.mark.parametrize("values", [["spanish"], ["es,*"], [f"a{chr(97 + n)}" for n in range(17)]])
def test_other_languages_or_too_many_are_refused(values: list[str]) -> None:
    with pytest.raises(ClientError) as refused:
        chosen_languages(values)
    assert refused.value.code == "invalid_message"


def test_a_switch_is_true_or_false() -> None:
    assert [flag(text, default=True) for text in (None, "true", "False", "0")] == [
        True, True, False, False,
    ]  # fmt: skip
    with pytest.raises(ClientError):
        flag("yes", default=True)
