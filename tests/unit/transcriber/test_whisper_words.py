"""Words with times out of what a Whisper model says."""

from steno_common.messages import Word
from steno_transcriber.engines.whisper_words import aligned_words, estimated_words


def piece(word: str, start: float, end: float, probability: float = 0.5) -> dict[str, object]:
    return {"word": word, "start": start, "end": end, "probability": probability}


def test_punctuation_belongs_to_the_word_before() -> None:
    alignment = [piece(" So", 0.0, 0.5), piece(",", 0.5, 0.6), piece(" we", 0.6, 1.0, 1.0000001)]
    assert aligned_words([*alignment, piece("  ", 1.0, 1.1), piece("?!", 1.1, 1.2)]) == (
        Word("So,", 0, 8_000, 0.5),
        Word("we?!", 9_600, 19_200, 1.0),  # the last mark ends with the word
    )
    assert aligned_words([]) == ()


def test_words_of_a_partial_are_spread_over_the_window() -> None:
    assert estimated_words("so we see", 1_000, 0.5) == (
        Word("so", 0, 300, 0.5),
        Word("we", 300, 600, 0.5),
        Word("see", 600, 1_000, 0.5),
    )
    assert estimated_words("", 1_000, 0.5) == ()
