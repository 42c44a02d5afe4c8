"""The time of Redis, which says when audio arrived."""

import time
from dataclasses import dataclass


@dataclass(slots=True)
class RedisClock:
    """This machine's clock, set by that of Redis: the two may differ by more than finals take."""

    _ahead_ms: int = 0

    def now_ms(self) -> int:
        """Give the time in ms since 1970."""
        return time.time_ns() // 1_000_000 + self._ahead_ms

    def set(self, now_ms: int) -> None:
        """Take what Redis says."""
        self._ahead_ms += now_ms - self.now_ms()
