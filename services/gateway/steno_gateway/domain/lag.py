"""When a client is told that its text lags behind its audio, and when that this is over."""

from dataclasses import dataclass
from typing import Final, Literal

from steno_gateway.domain.latency import HIGH_MS

TOLD_SECONDS: Final = 3.0
"""Audio that nobody transcribes for so long is worth a warning."""

Told = Literal["high_latency", "latency_normal"]


@dataclass(slots=True)
class LagWatch:
    """What one connection's client knows of the lag of its text.

    The end is a place in the audio: `latency_normal` comes once all that was stored when text was
    last late is transcribed. Text that falls behind anew meanwhile moves that place, and is told
    of no second time.
    """

    told: bool = False
    _through: int = 0
    """Chunk behind which text is no longer late."""
    _unclaimed_since: float | None = None

    def late(self, stored: int) -> None:
        """Note that a transcriber has told of text that is late, with chunks through `stored`."""
        self.told = True
        self._through = max(self._through, stored)

    def slow(self, latency_ms: float, stored: int) -> Told | None:
        """Take a partial that took so long, with chunks through `stored`; give what to tell."""
        return self.behind(stored) if latency_ms > HIGH_MS else None

    def behind(self, stored: int) -> Told | None:
        """Note that text is late, as `late` does; give what to tell."""
        news = not self.told
        self.late(stored)
        return "high_latency" if news else None

    def look(self, now: float, *, unclaimed: bool, stored: int, done: int) -> Told | None:
        """Take how a session stands at `now` (s); give what its client is to be told.

        `unclaimed`: audio waits, and no transcriber holds the session; `stored` and `done` are the
        highest chunks that are stored, and transcribed.
        """
        if not unclaimed:
            self._unclaimed_since = None
            if self.told and done >= self._through:
                self.told = False
                return "latency_normal"
            return None
        if self._unclaimed_since is None:
            self._unclaimed_since = now
        if self.told or now - self._unclaimed_since >= TOLD_SECONDS:
            news, self.told = not self.told, True
            self._through = stored
            return "high_latency" if news else None
        return None
