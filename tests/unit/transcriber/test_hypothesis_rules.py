"""Words of a window put into the session."""

from steno_common.messages import Word
from steno_transcriber.domain.hypothesis import Hypothesis, placed, within


def test_word_times_count_from_the_start_of_the_session() -> None:
    heard = Hypothesis("one two", (Word("one", -5, 90, 0.5), Word("two", 90, 250, 0.7)))
    assert placed(heard, 1_000, 200) == Hypothesis(
        "one two", (Word("one", 1_000, 1_090, 0.5), Word("two", 1_090, 1_200, 0.7))
    )


def test_a_word_keeps_its_speaker_wherever_it_is_put() -> None:
    heard = Hypothesis("so", (Word("so", 0, 90, 0.5, "0"),))
    assert placed(heard, 10, 80).words == (Word("so", 10, 90, 0.5, "0"),)
    assert within(heard, 5, 50).words == (Word("so", 5, 50, 0.5, "0"),)


def test_words_beyond_the_audio_are_dropped_from_words_and_text() -> None:
    heard = Hypothesis("one, two", (Word("one,", 0, 90, 0.5), Word("two", 200, 250, 0.7)))
    assert placed(heard, 0, 200) == Hypothesis("one,", (Word("one,", 0, 90, 0.5),))


def test_words_stay_within_the_bounds_of_speech() -> None:
    words = (Word("so", 0, 700, 0.5), Word("we", 700, 900, 0.5), Word("see", 900, 2_000, 0.5))
    moved = within(Hypothesis("so we see", words), 500, 1_500).words
    assert [(word.text, word.start, word.end) for word in moved] == [
        ("so", 500, 700), ("we", 700, 900), ("see", 900, 1_500),
    ]  # fmt: skip
    assert [(w.start, w.end) for w in within(Hypothesis("so", words[:1]), 800, 900).words] == [
        (800, 800)
    ]
