"""What comes of one attempt at a window: words, silence, or another attempt."""

from dataclasses import dataclass, replace

from steno_common.messages import Word
from steno_transcriber.domain.guards import LADDER, Attempt, settle
from steno_transcriber.domain.hypothesis import Again, Hypothesis, Window


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt at a window, with what would come of it."""

    attempt: Attempt
    hypothesis: Hypothesis


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One window in the model's form."""

    window: Window
    before: tuple[int, ...]
    language: str
    probability: float
    """Of the language."""


def judged(row: Row, attempt: Attempt, words: tuple[Word, ...]) -> Hypothesis | Again:
    """Accept an attempt, or ask for another one, or give the best of all."""
    window = row.window
    tried = (*window.tried, Tried(attempt, _hypothesis(row, attempt, words)))
    # A partial is soon replaced: it is not worth a second search.
    last = not window.final or len(tried) == len(LADDER)
    choice = settle([each.attempt for each in tried], last=last)
    if choice is None:
        return Again(replace(window, tried=tried))
    if choice.index is None:
        nothing = _hypothesis(row, attempt, ())
        return replace(nothing, trusted=choice.trusted)
    heard: Hypothesis = tried[choice.index].hypothesis
    return replace(heard, trusted=choice.trusted)


def _hypothesis(row: Row, attempt: Attempt, words: tuple[Word, ...]) -> Hypothesis:
    if not words:
        return Hypothesis(language=row.language, language_probability=row.probability)
    return Hypothesis(
        text=attempt.text,
        words=words,
        language=row.language,
        language_probability=row.probability,
        confidence=round(sum(word.confidence for word in words) / len(words), 3),
    )
