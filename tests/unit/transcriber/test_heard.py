"""What counts as heard of speech that an engine says no word of."""

from hypothesis import given
from hypothesis import strategies as st

from steno_transcriber.domain.heard import HINDSIGHT, UNANSWERED, Listening, Wordless

SECOND = 16_000


def test_words_begin_with_the_speech_where_none_were_looked_for_before() -> None:
    assert Wordless().first_word(5_000) == 5_000


def test_words_found_late_begin_where_none_were_found_but_for_the_second_of_a_beginning() -> None:
    wordless = Wordless()
    wordless.note(8 * SECOND)
    wordless.note(9 * SECOND)
    assert wordless.first_word(2 * SECOND) == 8 * SECOND
    assert HINDSIGHT == SECOND


def test_a_short_first_look_without_a_word_moves_no_word() -> None:
    wordless = Wordless()
    wordless.note(5_000 + SECOND // 2)
    assert wordless.first_word(5_000) == 5_000


def test_a_stream_that_says_nothing_is_told_as_heard_every_three_seconds() -> None:
    listening, told = Listening(0), []
    for end in range(0, 10 * SECOND + 1, 1_600):
        told += [end] if listening.sent(end) else []
    assert told == [3 * SECOND, 6 * SECOND, 9 * SECOND]


def test_a_stream_that_answers_within_three_seconds_is_not_told_of() -> None:
    listening = Listening(0)
    for end in range(0, 60 * SECOND, 1_600):
        listening.said(end - 2 * SECOND)
        assert not listening.sent(end)


def test_audio_that_another_stream_is_sent_again_is_not_told_as_heard_again() -> None:
    listening = Listening(10 * SECOND)
    assert listening.sent(13 * SECOND)
    assert not any(listening.sent(end) for end in range(10 * SECOND, 16 * SECOND, 1_600))
    assert listening.sent(16 * SECOND)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10 * SECOND))))
def test_what_is_told_as_heard_only_grows_and_in_steps(steps: list[tuple[bool, int]]) -> None:
    listening, through = Listening(0), 0
    for is_result, end in steps:
        if is_result:
            listening.said(end)
            through = max(through, end)
        elif listening.sent(end):
            assert end >= through + UNANSWERED
            through = end
