"""Word error rate between what was said and what was understood."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_APOSTROPHE: Final = "\N{RIGHT SINGLE QUOTATION MARK}"
_WORD: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Fewest edits that turn a reference into a hypothesis, in words."""

    words: int = 0
    """Of the reference."""
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    @property
    def edits(self) -> int:
        """All kinds together."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """Edits per word of the reference; of an empty one, 0 or 1."""
        return self.edits / self.words if self.words else float(self.edits > 0)

    def __add__(self, other: "WordErrors") -> "WordErrors":
        return WordErrors(
            self.words + other.words,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )


NOTHING: Final = WordErrors()
"""Of no words at all."""


def normalised(text: str) -> list[str]:
    """Give the words of a text in lower case, without punctuation."""
    return _WORD.findall(text.lower().replace(_APOSTROPHE, "'"))


def compare(reference: Sequence[str], hypothesis: Sequence[str]) -> WordErrors:
    """Count the edits of a shortest way from one to the other.

    Of ways that are equally short the one with most substitutions counts.
    """
    # Each cell holds (edits, deletions, insertions) for the prefixes so far.
    row = [(column, 0, column) for column in range(len(hypothesis) + 1)]
    for number, wanted in enumerate(reference, 1):
        above = row
        row = [(number, number, 0)]
        for column, found in enumerate(hypothesis, 1):
            edits, deletions, insertions = above[column - 1]
            kept = (edits + (wanted != found), deletions, insertions)
            edits, deletions, insertions = above[column]
            deleted = (edits + 1, deletions + 1, insertions)
            edits, deletions, insertions = row[column - 1]
            inserted = (edits + 1, deletions, insertions + 1)
            row.append(min(kept, deleted, inserted))
    edits, deletions, insertions = row[-1]
    return WordErrors(len(reference), edits - deletions - insertions, deletions, insertions)
