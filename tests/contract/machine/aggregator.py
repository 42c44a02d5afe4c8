"""An aggregator without files: what it closes follows from what it has read."""

from dataclasses import dataclass

from tests.contract.machine.promises import closable

from steno_common.messages import Ended, Event, Final, Utterance
from steno_common.store.windows import Window
from steno_common.utterances import join_text


@dataclass(frozen=True)
class Look:
    """What an aggregator has read of a session, as old as it may be."""

    window: Window
    events: list[Event]
    silence: int

    @property
    def over(self) -> bool:
        """Whether nothing but the transcript is still to come."""
        ended = any(isinstance(event, Ended) for event in self.events)
        return ended and not self.window.open_from

    def utterances(self) -> tuple[list[Utterance], int]:
        """Give those that can be closed, with the first final of what stays open."""
        found = closable(self.events, self.window.open_from, self.window.heard, self.silence)
        index = self.window.utterances
        closed = [self._utterance(index + n, group) for n, group in enumerate(found)]
        after = found[-1][-1] if found else self.window.open_from - 1
        left = (n for n, event in enumerate(self.events, 1)
                if n > after and isinstance(event, Final))  # fmt: skip
        return closed, next(left, 0) if self.window.open_from else 0

    def _utterance(self, index: int, group: list[int]) -> Utterance:
        finals = [e for e in (self.events[n - 1] for n in group) if isinstance(e, Final)]
        text = join_text(final.text for final in finals)
        return Utterance(index, text, finals[0].start, finals[-1].end, 1.0, group[0], group[-1])
