"""Words with times out of what a Whisper model says."""

from collections.abc import Mapping, Sequence
from typing import Any

from steno_common.messages import Word
from steno_common.units import to_samples


def aligned_words(alignment: Sequence[Mapping[str, Any]]) -> tuple[Word, ...]:
    """Read an alignment of faster-whisper: pieces of text with seconds from the window's start.

    A piece that does not begin with a space, such as punctuation, belongs to the one before.
    """
    words: list[Word] = []
    said = [piece for piece in alignment if str(piece["word"]).strip()]
    for piece in said:
        text = str(piece["word"])
        word = Word(
            text.strip(),
            to_samples(float(piece["start"])),
            to_samples(float(piece["end"])),
            round(min(1.0, float(piece["probability"])), 3),
        )
        if words and not text[0].isspace() and not any(letter.isalnum() for letter in text):
            before = words[-1]
            # The time of a comma is a pause; that of the last full stop is the end of the word.
            end = word.end if piece is said[-1] else before.end
            words[-1] = Word(before.text + word.text, before.start, end, before.confidence)
        else:
            words.append(word)
    return tuple(words)


def estimated_words(text: str, samples: int, confidence: float) -> tuple[Word, ...]:
    """Spread the words of a text over a window by their length; `samples` long in all."""
    texts = text.split()
    total = sum(len(word) + 1 for word in texts)
    words, before = [], 0
    for word in texts:
        after = before + len(word) + 1
        words.append(Word(word, before * samples // total, after * samples // total, confidence))
        before = after
    return tuple(words)
