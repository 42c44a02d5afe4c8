"""Checks against invented text."""

from math import nan

from hypothesis import given
from hypothesis import strategies as st

from steno_transcriber.domain.guards import LADDER, Attempt, Choice, Verdict, best, judge, settle

attempts = st.builds(
    Attempt,
    text=st.text(alphabet="ab ", max_size=120),
    log_probability=st.floats(-4, 0),
    no_speech=st.floats(0, 1),
    samples=st.integers(1_600, 480_000),
)


def attempt(
    text: str = "Hello there.",
    log_probability: float = -0.2,
    no_speech: float = 0.0,
    samples: int = 32_000,
) -> Attempt:
    return Attempt(text, log_probability, no_speech, samples)


@given(attempts)
def test_what_is_accepted_is_likely_and_no_loop(tried: Attempt) -> None:
    if judge(tried) is Verdict.ACCEPT:
        assert tried.text.strip()
        assert tried.log_probability >= -1
        assert not tried.repetitive
        assert not tried.hasty


def test_a_likelihood_that_is_no_number_is_not_believed() -> None:
    assert judge(attempt(log_probability=nan)) is Verdict.RETRY


@given(st.lists(attempts, max_size=4))
def test_the_best_of_the_rejected_is_the_likeliest_that_makes_sense(tried: list[Attempt]) -> None:
    index = best(tried)
    sane = [a for a in tried if a.text.strip() and not a.repetitive and not a.hasty]
    if index is None:
        assert not sane
    else:
        assert tried[index] in sane
        assert all(a.log_probability <= tried[index].log_probability for a in sane)


@given(attempts)
def test_more_confidence_never_turns_an_accepted_text_away(tried: Attempt) -> None:
    surer = Attempt(tried.text, tried.log_probability / 2, tried.no_speech / 2, tried.samples)
    if judge(tried) is Verdict.ACCEPT:
        assert judge(surer) is Verdict.ACCEPT


def test_plain_text_is_accepted() -> None:
    assert judge(attempt()) is Verdict.ACCEPT


def test_a_loop_an_unlikely_text_and_an_impossible_pace_are_tried_again() -> None:
    assert judge(attempt("so it goes " * 20, samples=480_000)) is Verdict.RETRY
    assert judge(attempt(log_probability=-1.2)) is Verdict.RETRY
    assert judge(attempt("many different words which nobody says quickly" * 2, samples=4_000)) is (
        Verdict.RETRY
    )


def test_silence_is_believed_unless_the_words_are_sure() -> None:
    assert judge(attempt(no_speech=0.9, log_probability=-1.2)) is Verdict.SILENCE
    assert judge(attempt(no_speech=0.9)) is Verdict.ACCEPT
    assert judge(attempt(" ")) is Verdict.SILENCE


def test_in_a_short_tail_a_likely_silence_has_no_words() -> None:
    assert judge(attempt("Thanks.", no_speech=0.9, samples=12_000)) is Verdict.SILENCE
    assert judge(attempt("Thanks.", no_speech=0.2, samples=12_000)) is Verdict.ACCEPT


def test_retries_let_go_of_the_prompt_take_the_full_length_and_then_forbid_repeats() -> None:
    assert [search.prompted for search in LADDER] == [True, False, False]
    assert [search.full for search in LADDER] == [False, True, True]
    assert [search.wide for search in LADDER] == [False, True, True]
    assert [search.forbid_repeats for search in LADDER] == [0, 0, 3]


@given(st.lists(attempts, min_size=1, max_size=3))
def test_the_last_attempt_always_settles_it(tried: list[Attempt]) -> None:
    choice = settle(tried, last=True)
    assert choice is not None
    if choice.trusted and choice.index is not None:
        assert judge(tried[choice.index]) is Verdict.ACCEPT


def test_another_search_is_asked_for_until_one_holds() -> None:
    loop, unlikely = attempt("so it goes " * 20, samples=480_000), attempt(log_probability=-1.2)
    assert settle([loop], last=False) is None
    assert settle([loop, attempt()], last=False) == Choice(1, trusted=True)
    assert settle([loop, attempt("")], last=False) == Choice(None, trusted=True)
    assert settle([unlikely, loop], last=True) == Choice(0, trusted=False)
    assert settle([loop], last=True) == Choice(None, trusted=False)
