"""How long words take from the audio they are in to the client: a rule of one connection."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from steno_common.lateness import TOLD_MS, Schedule
from steno_common.messages import Final as FinalEvent
from steno_common.messages import Partial
from steno_common.units import SAMPLE_RATE

HIGH_MS: Final = TOLD_MS
"""A client is warned of partials that take longer."""

STALLED_MS: Final = 5_000
"""The same of audio that nobody seems to have heard: before words there may be silence that is
told with them, for 1.4 s, a first partial takes its time, and that a stream without words is heard
is told every 3 s."""

_FOLLOWED: Final = 2 * SAMPLE_RATE
"""What the newest words of a client that stops to send may wait for is the end of its pause."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    sequence: int
    end: int
    """Position after its last sample."""
    due_ms: float
    """When its words could have been looked for, at the earliest."""


@dataclass(slots=True)
class LatencyMeter:
    """From the receipt of a chunk until the client has the first partial with words of it.

    Of a partial the oldest words count that were not shown before: the last chunk that it covers
    says nothing of how long the client has waited. A recording that is sent faster than it was
    spoken counts from when it could be heard. Times are ms of any one clock.
    """

    begin: int = 0
    """Position behind what was stored before this connection: of that nothing is known."""
    last_ms: float | None = None
    """Of the newest partial with new words."""
    _schedule: Schedule = field(default_factory=Schedule)
    _received: deque[tuple[int, float]] = field(default_factory=deque)
    _chunks: deque[_Chunk] = field(default_factory=deque)
    _shown: int = 0

    def received(self, sequence: int, at_ms: float) -> None:
        """Note a new chunk."""
        self._received.append((sequence, at_ms))

    def stored(self, sequence: int, end: int, samples: int) -> None:
        """Note where in the session's audio a chunk has its place."""
        while self._received and self._received[0][0] < sequence:
            self._received.popleft()
        if self._received and self._received[0][0] == sequence:
            _, at_ms = self._received.popleft()
            self._chunks.append(_Chunk(sequence, end, self._schedule.expect(at_ms, samples)))

    def done(self, sequence: int) -> None:
        """Forget chunks through the highest that is transcribed."""
        while self._chunks and self._chunks[0].sequence <= sequence:
            self.begin = max(self.begin, self._chunks.popleft().end)

    def final(self, final: FinalEvent) -> None:
        """Take a final that is told: a later partial shows other words."""
        self._shown = max(self._shown, final.end)

    def stalled(self, now_ms: float, heard: int = 0) -> bool:
        """Say whether audio waits for too long that no engine has heard.

        `heard`: position through which one has, though it may have found no word. What it finds is
        told at once, so nothing of that is late.
        """
        known = max(self._shown, heard)
        waiting = next((chunk for chunk in self._chunks if chunk.end > known), None)
        if waiting is None or self._chunks[-1].end - waiting.end < _FOLLOWED:
            return False
        return now_ms - waiting.due_ms > STALLED_MS

    def partial(self, partial: Partial, now_ms: float) -> float | None:
        """Take a partial that the client has; give its latency, None if that is not known."""
        shown, self._shown = self._shown, max(self._shown, partial.end)
        starts = (word.start for word in partial.words if word.end > shown)
        first = max(next(starts, shown), partial.start, shown)
        if first < self.begin or first >= partial.end:
            return None
        for chunk in self._chunks:
            if chunk.end > first:
                self.last_ms = max(0.0, now_ms - chunk.due_ms)
                return self.last_ms
        return None
