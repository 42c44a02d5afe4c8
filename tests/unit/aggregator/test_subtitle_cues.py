"""Cues fit on a screen, in order, with every word."""

from hypothesis import given
from tests.unit.aggregator.building import final, spoken, word

from steno_aggregator.domain.cues import LINE_CHARACTERS, LONGEST_MS, Cue, clean, cues
from steno_common.messages import Final


def test_a_short_final_is_one_cue() -> None:
    words = [word("hello", 1, 1.25), word("there", 1.5, 2)]

    assert cues([final(1, 2, "Hello, there!", words)]) == [Cue(1000, 2000, ("Hello, there!",))]


def test_a_cue_keeps_the_spelling_and_the_punctuation_of_the_text() -> None:
    words = [word("ask", 0, 0.5), word("not", 0.5, 1), word("what", 4, 8)]

    assert cues([final(0, 8, '"ask - not, what?"', words)]) == [
        Cue(0, 1000, ('"ask - not,',)),
        Cue(4000, 8000, ('what?"',)),
    ]


def test_a_long_final_is_cut_at_words_into_two_lines_of_42_characters() -> None:
    text = "And so my fellow Americans ask not what your country can do for you ask what you can do"
    words = [word(part, 0.25 * n, 0.25 * (n + 1)) for n, part in enumerate(text.split())]

    first, second = cues([final(0, 5, text, words)])

    assert first.lines == (
        "And so my fellow Americans ask not what",
        "your country can do for you ask what you",
    )
    assert (first.start_ms, first.end_ms) == (0, 4250)
    assert second == Cue(4250, 4750, ("can do",))


def test_a_cue_lasts_at_most_seven_seconds() -> None:
    words = [word("one", 0, 3), word("two", 3, 6.5), word("three", 6.5, 9), word("four", 9, 20)]

    shown = cues([final(0, 20, "one two three four", words)])

    assert [(cue.start_ms, cue.end_ms) for cue in shown] == [(0, 6500), (6500, 9000), (9000, 16000)]


def test_without_words_the_time_is_shared_by_the_characters() -> None:
    assert cues([final(0, 10.5, "aaa bbb")]) == [
        Cue(0, 6000, ("aaa",)),
        Cue(6000, 10500, ("bbb",)),
    ]


def test_a_word_longer_than_a_line_is_cut() -> None:
    (first, second) = cues([final(0, 2, "x" * 100)])

    assert (first.lines, second.lines) == (("x" * 42, "x" * 42), ("x" * 16,))


def test_text_without_spaces_is_not_torn_apart_by_its_words() -> None:
    words = [word("今日", 0, 1), word("は", 1, 2)]

    assert cues([final(0, 2, "今日は", words)]) == [Cue(0, 2000, ("今日は",))]


def test_a_cue_has_the_words_of_one_speaker() -> None:
    words = [word("yes", 0, 1, "0"), word("so", 1, 2, "0"), word("no", 2, 3, "1"), word("ah", 3, 4)]

    assert cues([final(0, 4, "yes so no ah", words), final(4, 5, "well")]) == [
        Cue(0, 2000, ("yes so",), "0"),
        Cue(2000, 3000, ("no",), "1"),
        Cue(3000, 4000, ("ah",)),
        Cue(4000, 5000, ("well",)),
    ]


def test_a_space_that_a_long_word_leaves_is_no_cue() -> None:
    words = [word("x" * 42, 0, 10, "0"), word("no", 10, 11, "1")]

    first, second = cues([final(0, 11, "x" * 42 + " no", words)])

    assert (first.lines, second.lines) == (("x" * 42,), ("no",))


def test_nothing_said_is_no_cue() -> None:
    assert cues([]) == []
    assert cues([final(0, 1, " \n\x00 ")]) == []


@given(spoken())
def test_cues_follow_each_other_without_overlap(finals: list[Final]) -> None:
    at = 0
    for cue in cues(finals):
        assert at <= cue.start_ms < cue.end_ms <= cue.start_ms + LONGEST_MS
        at = cue.end_ms


@given(spoken())
def test_a_cue_has_one_or_two_lines_that_fit(finals: list[Final]) -> None:
    for cue in cues(finals):
        assert 1 <= len(cue.lines) <= 2
        assert all(0 < len(line) <= LINE_CHARACTERS for line in cue.lines)


@given(spoken())
def test_cues_hold_every_character_of_the_text_in_order(finals: list[Final]) -> None:
    shown = "".join("".join(cue.lines) for cue in cues(finals))
    said = "".join(clean(final.text) for final in finals)

    assert shown.replace(" ", "") == said.replace(" ", "")
