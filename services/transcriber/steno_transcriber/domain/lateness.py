"""When a client is told that its finals are late, in ms of any one clock."""

from dataclasses import dataclass
from typing import Final

from steno_common.lateness import TOLD_MS

SILENT_MS: Final = 30_000
"""From one warning to the next."""


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
