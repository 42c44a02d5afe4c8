"""How much goes to one destination at a time, so that a slow one holds up no other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from steno_common.messages import Destination

WIDTH: Final = 16
"""Tries of events at a time to one destination, of all sessions."""
TRIES: Final = 400
"""Tries at a time to all destinations; who waits for its turn has not been tried."""
LENGTH: Final = 128
"""Deliveries to one destination in hand; the others wait in Redis."""


@dataclass(slots=True, weakref_slot=True)
class Lane:
    """The way to one destination."""

    room: asyncio.Semaphore
    """Shared with all others."""
    sending: asyncio.Semaphore
    taken: int = 0
    """Deliveries in hand, those that wait for their turn too."""

    @property
    def is_full(self) -> bool:
        """Whether no more should be taken for this destination."""
        return self.taken >= LENGTH

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until something may be sent, hold that while it is."""
        async with self.sending, self.room:
            yield


@dataclass(slots=True)
class Lanes:
    """The ways to all destinations that something is in hand for."""

    width: int = field(default_factory=lambda: WIDTH)
    """Tries at a time to one destination."""
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(TRIES))
    _lanes: WeakValueDictionary[str, Lane] = field(default_factory=WeakValueDictionary)

    def to(self, destination: Destination) -> Lane:
        """Give the way to a destination: one for all that lives at a host."""
        where = urlsplit(destination.url).netloc or destination.name
        lane = self._lanes.get(f"{destination.kind} {where}")
        if lane is None:
            self._lanes[f"{destination.kind} {where}"] = lane = Lane(
                self._room, asyncio.Semaphore(self.width)
            )
        return lane
