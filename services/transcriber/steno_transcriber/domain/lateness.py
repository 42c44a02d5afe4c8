"""When the words of audio are late: rules of arrivals, in ms of any one clock."""

from dataclasses import dataclass
from typing import Final

from steno_common.units import SAMPLE_RATE

PACE: Final = 2
"""Audio that comes faster than it was spoken is expected to be heard at this multiple of speech."""

TOLD_MS: Final = 3_000
"""A final that is later than this is worth a warning."""

SILENT_MS: Final = 30_000
"""From one warning to the next."""


@dataclass(slots=True)
class Schedule:
    """When each piece of one session's audio can be worked on without being late.

    Live audio is expected when it arrives. A recording that arrives at once is not late because its
    end has to wait for its beginning.
    """

    _due_ms: float = 0.0

    def expect(self, arrival_ms: int, samples: int) -> float:
        """Take the next piece; give the time from which on it is late."""
        self._due_ms = max(arrival_ms, self._due_ms + samples * 1000 / SAMPLE_RATE / PACE)
        return self._due_ms


@dataclass(slots=True)
class Complaint:
    """Decides when a client is told that its finals are late."""

    _told_ms: int | None = None

    def is_due(self, now_ms: int, late_ms: float) -> bool:
        """Take a final that is so late; say whether to tell. It counts as told then."""
        if late_ms <= TOLD_MS:
            return False
        if self._told_ms is not None and now_ms - self._told_ms < SILENT_MS:
            return False
        self._told_ms = now_ms
        return True
