"""When the words of audio are late: rules of arrivals, in ms of any one clock."""

from dataclasses import dataclass
from typing import Final

from steno_common.units import SAMPLE_RATE

PACE: Final = 2
"""Audio that comes faster than it was spoken is expected to be heard at this multiple of speech."""

TOLD_MS: Final = 3_000
"""Words that are later than this are worth a warning."""


@dataclass(slots=True)
class Schedule:
    """When each piece of one session's audio can be worked on without being late.

    Live audio is expected when it arrives. A recording that arrives at once is not late because its
    end has to wait for its beginning.
    """

    _due_ms: float = 0.0

    def expect(self, arrival_ms: float, samples: int) -> float:
        """Take the next piece; give the time from which on it is late."""
        self._due_ms = max(arrival_ms, self._due_ms + samples * 1000 / SAMPLE_RATE / PACE)
        return self._due_ms
