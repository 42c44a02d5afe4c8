"""Audio of one session that is read and not yet recognised."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from steno_common.lateness import Schedule
from steno_common.store.work import Entry
from steno_common.units import SAMPLE_BYTES, SAMPLE_RATE

INBOX_BYTES: Final = 10 * SAMPLE_RATE * SAMPLE_BYTES
"""Audio of a session that is read ahead of the recogniser."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One entry with the time from which on it is late."""

    entry: Entry
    due_ms: float

    @property
    def samples(self) -> int:
        """Length of its audio."""
        return len(self.entry.pcm) // SAMPLE_BYTES


@dataclass(slots=True)
class Inbox:
    """Entries in order, bounded by INBOX_BYTES with what one more read brings."""

    read_id: str
    """Id of the last entry taken."""
    _queue: deque[Piece] = field(default_factory=deque)
    _queued: int = 0
    """Samples in the queue."""
    _taken: Sequence[Piece] = ()
    _schedule: Schedule = field(default_factory=Schedule)
    _filled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def hungry(self) -> bool:
        """Whether more audio should be read."""
        return self._queued * SAMPLE_BYTES < INBOX_BYTES

    @property
    def samples(self) -> tuple[int, int]:
        """Length of what is queued, of what is being recognised."""
        return self._queued, sum(piece.samples for piece in self._taken)

    def late_ms(self, now_ms: int) -> float:
        """Say how late the oldest audio is."""
        oldest = next(iter(self._taken or self._queue), None)
        return max(0.0, now_ms - oldest.due_ms) if oldest else 0.0

    def put(self, entries: Sequence[Entry]) -> None:
        """Take entries that follow those taken before."""
        for entry in entries:
            samples = len(entry.pcm) // SAMPLE_BYTES
            self._queue.append(Piece(entry, self._schedule.expect(entry.arrival_ms, samples)))
            self._queued += samples
        self.read_id = entries[-1].entry_id
        self._filled.set()

    async def next_run(self) -> list[Piece]:
        """Wait for chunks up to the next marker, or for the marker alone.

        What was given before counts as recognised from here on.
        """
        self._taken = ()
        while not self._queue:
            self._filled.clear()
            await self._filled.wait()
        run = [self._queue.popleft()]
        if not run[0].entry.marker:
            while self._queue and not self._queue[0].entry.marker:
                run.append(self._queue.popleft())
        self._queued -= sum(piece.samples for piece in run)
        self._taken = run
        return run
