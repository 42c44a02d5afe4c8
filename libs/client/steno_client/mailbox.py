"""Events on their way to the user."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from steno_client.domain.events import Event, Partial
from steno_client.domain.events import Final as FinalEvent
from steno_client.errors import SessionError

MAX_EVENTS: Final = 10_000
"""More than a session of an hour has; of a longer backlog the oldest are dropped."""


class Mailbox:
    """Keeps events until they are read; of partials only the newest."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=MAX_EVENTS)
        self._news = asyncio.Event()
        self._closed = False
        self._failure: SessionError | None = None

    def put(self, event: Event) -> None:
        """Add an event; it makes a partial that was not read yet stale."""
        replaces = isinstance(event, Partial | FinalEvent)
        if replaces and self._events and isinstance(self._events[-1], Partial):
            self._events.pop()
        self._events.append(event)
        self._news.set()

    def close(self, failure: SessionError | None = None) -> None:
        """After what is in it the reader gets the end, or the failure."""
        self._closed = True
        self._failure = failure
        self._news.set()

    async def read(self) -> AsyncIterator[Event]:
        """Take events out until the end."""
        while True:
            while self._events:
                yield self._events.popleft()
            if self._closed:
                if self._failure is not None:
                    raise self._failure
                return
            self._news.clear()
            await self._news.wait()
