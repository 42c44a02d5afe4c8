"""What the log of a session says so far: for who joins late, and for what is still outstanding."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from steno_common.messages import Completed, Numbered, Translation, Utterance
from steno_common.messages import Final as FinalEvent
from steno_common.utterances import join_text
from steno_gateway.domain.choice import Choice
from steno_gateway.domain.languages import within

LAST: Final = 10
"""Utterances, or translations of a language, that are told one by one."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A final without its words."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Translated:
    """A translation with its number in the log."""

    number: int
    translation: Translation

    @property
    def place(self) -> int:
        """Where it belongs: at its final; if it is of none, where it came."""
        return self.translation.event or self.number


@dataclass(slots=True)
class Story:
    """A log, from its first event through one of its numbers, without what it takes to play it."""

    through: int = 0
    completed: int = 0
    """Number of the event that ends the session itself, 0 while there is none."""
    segments: dict[int, Segment] = field(default_factory=dict)
    utterances: deque[tuple[int, Utterance]] = field(default_factory=lambda: deque(maxlen=LAST))
    _translations: list[Translated] = field(default_factory=list)
    _spoken: set[int] = field(default_factory=set)
    """Finals with a text, each of which has a translation sooner or later."""
    _done: dict[str, set[int]] = field(default_factory=dict)
    """Of these, by language, those that have one."""

    def take(self, after: int, events: Iterable[Numbered]) -> None:
        """Go on with what follows an event, unless something before that is missing.

        What was taken before is passed over.
        """
        for numbered in events if after <= self.through else ():
            if numbered.number > self.through:
                self.through = numbered.number
                self._take(numbered)

    def _take(self, numbered: Numbered) -> None:
        match numbered.event:
            case FinalEvent() as final:
                self.segments[numbered.number] = Segment(final.text, final.start, final.end)
                if final.text.strip():
                    self._spoken.add(numbered.number)
            case Utterance() as utterance:
                self.utterances.append((numbered.number, utterance))
            case Translation() as translation:
                self._translations.append(Translated(numbered.number, translation))
                if translation.event in self._spoken:
                    self._done.setdefault(translation.language, set()).add(translation.event)
            case Completed():
                self.completed = numbered.number

    @property
    def told(self) -> int:
        """Number of the event through which it may stand for the log: the end comes by itself."""
        return self.completed - 1 if self.completed else self.through

    @property
    def text(self) -> str:
        """All that was said."""
        return join_text(segment.text for segment in self.segments.values())

    def translations(self, choice: Choice) -> dict[str, list[Translated]]:
        """Give the chosen ones through `told` by language, in the order of what was said."""
        found: dict[str, list[Translated]] = {}
        for each in self._translations:
            if each.number <= self.told and choice.wants(each.translation):
                found.setdefault(each.translation.language, []).append(each)
        for each_language in found.values():
            each_language.sort(key=lambda each: (each.place, each.number))
        return found

    def translated(self, choice: Choice) -> bool:
        """Say whether each final that has a text has it in all chosen languages."""
        for wanted in choice.languages:
            done = [finals for tag, finals in self._done.items() if within(wanted, tag)]
            if len(set().union(*done)) < len(self._spoken):
                return False
        return True
