"""What the audio of all sessions of a gateway shares on its way to Redis."""

import asyncio
import sys
from dataclasses import dataclass, field


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass(slots=True)
class Inflow:
    """The bytes that wait here, with a bound for all of them together."""

    max_bytes: int = sys.maxsize
    waiting_bytes: int = 0
    """Accepted and not yet stored, as it came or decoded."""
    storing: asyncio.Event = field(default_factory=_set)
    """Set while Redis has room for audio."""

    @property
    def stopped(self) -> bool:
        """Whether no client may send more for now."""
        return self.waiting_bytes >= self.max_bytes or not self.storing.is_set()
