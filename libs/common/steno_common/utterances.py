"""Where one utterance ends: a pure function of the finals and the idle points between them."""

from collections.abc import Iterable
from typing import Protocol, TypeVar


class Spoken(Protocol):
    """Anything with bounds of speech, in samples."""

    @property
    def start(self) -> int:
        """First sample of speech."""

    @property
    def end(self) -> int:
        """Sample after the last one of speech."""


S = TypeVar("S", bound=Spoken)


def parted(before: Spoken, after: Spoken, silence: int) -> bool:
    """Say whether at least `silence` samples without speech lie between two finals."""
    return after.start - before.end >= silence


def split_utterances(finals: Iterable[S], silence: int) -> list[list[S]]:
    """Group finals, in order, into utterances: a new one after `silence` samples of silence."""
    groups: list[list[S]] = []
    for final in finals:
        if groups and not parted(groups[-1][-1], final, silence):
            groups[-1].append(final)
        else:
            groups.append([final])
    return groups


def join_text(texts: Iterable[str]) -> str:
    """Join texts of consecutive finals with one space; empty ones leave none behind."""
    return " ".join(text for text in (text.strip() for text in texts) if text)
