"""How fast audio may be sent to an engine that wants it about as fast as it was spoken."""

from dataclasses import dataclass

from steno_common.units import SAMPLE_RATE


@dataclass(slots=True)
class Pacing:
    """A bucket of audio that fills at `rate`. Times are seconds of any clock that never goes back.

    Live audio never waits; what is sent again after a stream was lost catches up.
    """

    rate: float
    """Seconds of audio in a second."""
    burst: float
    """Seconds of audio that may be sent at once."""
    _full_at: float = 0.0

    def wait(self, now: float) -> float:
        """Give the seconds to wait before more is sent."""
        return max(0.0, self._full_at - now - self.burst / self.rate)

    def sent(self, now: float, samples: int) -> None:
        """Count what is sent."""
        self._full_at = max(self._full_at, now) + samples / SAMPLE_RATE / self.rate
