"""LocalAgreement-2: the words on which two successive hypotheses of a growing segment agree."""

import string
from collections.abc import Sequence
from itertools import takewhile

from steno_common.messages import Word


def same_word(one: Word, other: Word) -> bool:
    """Compare words as they sound: without case or punctuation."""
    return _spoken(one) == _spoken(other)


def _spoken(word: Word) -> str:
    return word.text.strip(string.punctuation).casefold() or word.text


class Agreement:
    """The words of one open segment; what is agreed only grows."""

    def __init__(self) -> None:
        self.agreed: tuple[Word, ...] = ()
        self._last: tuple[Word, ...] = ()

    def update(self, words: Sequence[Word]) -> tuple[Word, ...]:
        """Take the newest hypothesis; give the words to show: those agreed, then the new rest."""
        alike = takewhile(lambda pair: same_word(*pair), zip(self._last, words, strict=False))
        reached = sum(1 for _ in alike)
        kept = len(self.agreed)
        self.agreed += tuple(words[kept:reached])
        self._last = tuple(words)
        return self.agreed + tuple(words[len(self.agreed) :])

    def stability(self, shown: Sequence[Word]) -> float:
        """Give the share of the words shown that are agreed, 0 to 1."""
        return round(len(self.agreed) / len(shown), 3) if shown else 0.0
