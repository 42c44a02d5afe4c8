"""Whether an engine is there at all, from how the last tries of a process went."""

from dataclasses import dataclass
from typing import Final

from steno_transcriber.domain.backoff import outage

ROW: Final = 3
"""Tries in a row, of whatever sessions, that fail if the engine is away."""

ROW_SECONDS: Final = 1.0
"""They take at least so long: what is over sooner is bridged by trying again."""


@dataclass(slots=True)
class Breaker:
    """Closed while tries succeed; a row of failed ones opens it, the next that succeeds closes it.

    While it is open it lets one session through now and then, ever more rarely as those fail too:
    so somebody finds out that the engine is back. Times are seconds of a clock that never goes
    back.
    """

    _row: int = 0
    """Tries that failed since the last that succeeded."""
    _row_since: float = 0.0
    _outages: int = 0
    """How often in a row the engine was found to be away; 0: closed."""
    _probe_from: float = 0.0
    """When the next session may be let through, while it is open."""
    _probing: bool = False
    """One was let through, and no try has failed since."""

    @property
    def is_open(self) -> bool:
        """Whether the engine is away."""
        return self._outages > 0

    def worked(self) -> None:
        """Take a try that succeeded."""
        self._row = self._outages = 0
        self._probing = False

    def failed(self, at: float) -> None:
        """Take a try that failed; of an open one only those count that may be a probe's."""
        if self.is_open:
            if self._probing:
                self._open(at)
            return
        if not self._row:
            self._row_since = at
        self._row += 1
        if self._row >= ROW and at - self._row_since >= ROW_SECONDS:
            self._open(at)

    def room(self, at: float, room: int) -> int:
        """Say how many sessions should come, where there is room for so many."""
        if not self.is_open:
            return room
        return min(room, 1) if at >= self._probe_from else 0

    def admits(self, at: float) -> bool:
        """Say whether a session that has come may try the engine; of an open one it is a probe."""
        if not self.is_open:
            return True
        if at < self._probe_from:
            return False
        self._probing = True
        # Another one follows in time, should this one never say a word.
        self._probe_from = at + outage(self._outages)
        return True

    def _open(self, at: float) -> None:
        self._outages += 1
        self._probe_from = at + outage(self._outages)
        self._probing = False
