"""Which audio entries a border has consumed: sample positions to entry ids."""

from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Place:
    """Where one chunk lies in the session."""

    entry_id: str
    sequence: int
    end: int
    """Position after its last sample."""
    arrival_ms: int
    due_ms: float = 0.0
    """Time from which on its words are late."""


@dataclass(frozen=True, slots=True)
class Consumed:
    """Everything up to a border, in the terms of the store."""

    entry_id: str
    """Last entry that lies wholly before the border."""
    done: int
    """Its sequence number."""
    offset: int
    """Position at which the next entry begins, not after the border."""


@dataclass(slots=True)
class Ledger:
    """Chunks read and not yet consumed, in order.

    Invariant: `offset` <= border of the last commit <= `end`.
    """

    entry_id: str
    done: int
    offset: int
    _places: deque[Place] = field(default_factory=deque)

    @property
    def end(self) -> int:
        """Position after the last sample read."""
        return self._places[-1].end if self._places else self.offset

    def add(
        self, entry_id: str, sequence: int, samples: int, arrival_ms: int, *, due_ms: float = 0.0
    ) -> None:
        """Note the next chunk."""
        self._places.append(Place(entry_id, sequence, self.end + samples, arrival_ms, due_ms))

    def covering(self, position: int) -> Place | None:
        """Give the chunk that holds the last sample before a position, if it is known."""
        for place in self._places:
            if place.end >= position:
                return place
        return self._places[-1] if self._places else None

    def sequence_at(self, position: int) -> int:
        """Give the number of the last chunk that a position covers."""
        place = self.covering(position)
        return place.sequence if place else self.done

    def consume(self, border: int) -> Consumed:
        """Drop the chunks that end at or before a border."""
        while self._places and self._places[0].end <= border:
            place = self._places.popleft()
            self.entry_id, self.done, self.offset = place.entry_id, place.sequence, place.end
        return Consumed(self.entry_id, self.done, self.offset)

    def pass_marker(self, entry_id: str, samples: int) -> Consumed:
        """Consume a marker with its tail; every chunk before it must be consumed."""
        assert not self._places
        self.entry_id = entry_id
        self.offset += samples
        return Consumed(self.entry_id, self.done, self.offset)
