"""Readers of a session's log: each at its own pace, with what they read in common read once."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import msgspec

from steno_common.messages import Completed, Partial
from steno_common.messages import Final as FinalEvent
from steno_common.public import Json
from steno_common.store.base import Numbered
from steno_common.store.link import patiently
from steno_common.store.sessions import Outcome, Polled, SessionStore
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.server import event_message, partial_message

NOBODY: Final = -1
"""Connection number of a listener: it holds no session."""

PAGE: Final = 32
"""Events that a reader is given at once: as many may wait in memory for each one who is slow."""
RECENT: Final = 64
"""Events of a session that are kept for its other readers."""


@dataclass(eq=False)
class Told:
    """Something that readers of a session are told, put into words once for all of them."""

    session_id: str
    item: Numbered | Partial

    @property
    def number(self) -> int | None:
        """The number of a durable event, None for a partial."""
        return self.item.number if isinstance(self.item, Numbered) else None

    @property
    def ends(self) -> bool:
        """Whether nothing comes after it."""
        return isinstance(self.item, Numbered) and isinstance(self.item.event, Completed)

    @cached_property
    def message(self) -> Json | None:
        """The message, None for an event that only services need."""
        if isinstance(self.item, Partial):
            return partial_message(self.session_id, self.item)
        return event_message(self.session_id, self.item.number, self.item.event)

    @cached_property
    def encoded(self) -> bytes:
        """The message as JSON."""
        return msgspec.json.encode(self.message)


@dataclass(eq=False, slots=True)
class SessionLog:
    """What the readers of one session share: the end of its log, the newest partial."""

    store: SessionStore
    session_id: str
    readers: int = 0
    """A lone reader has nobody to keep anything for."""
    _recent: deque[Told] = field(default_factory=deque)
    _base: int = 0
    """The recent events are all that follow this one."""
    _epoch: str = ""
    _partial: Told | None = None
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def last(self) -> int:
        """Number of the newest event that was read."""
        return self._recent[-1].number or 0 if self._recent else self._base

    def polled(self, polled: Polled) -> None:
        """Forget what a Redis that lost data does not know any more."""
        known, self._epoch = self._epoch or polled.epoch, polled.epoch
        if polled.event < self.last or polled.epoch != known:
            self._recent.clear()
            self._base = polled.event

    def told(self, partial: Partial) -> Told:
        """Give the one form of a partial for all its readers."""
        if self._partial is None or self._partial.item is not partial:
            self._partial = Told(self.session_id, partial)
        return self._partial

    async def after(self, cursor: int) -> list[Told]:
        """Give what follows an event, a page at most; waits for as long as Redis is away."""
        async with self._reading:  # who comes second finds what the first has read
            if self._base <= cursor < self.last:
                return [told for told in self._recent if (told.number or 0) > cursor][:PAGE]
            found = await patiently(lambda: self.store.events(self.session_id, cursor, PAGE))
            page = [Told(self.session_id, event) for event in found]
            if page and self.readers > 1 and cursor >= self.last:
                self._keep(cursor, page)
            return page

    def _keep(self, cursor: int, page: list[Told]) -> None:
        if cursor > self.last:
            self._recent.clear()
        if not self._recent:
            self._base = cursor
        self._recent.extend(page)
        while len(self._recent) > RECENT:
            self._base = self._recent.popleft().number or 0


@dataclass(eq=False, slots=True)
class Subscription:
    """One reader of one session, at its own pace.

    A slow reader is a slow cursor: finals wait in Redis, of partials only the newest is kept.
    """

    session_id: str
    cursor: int
    """Number of the last event given out."""
    store: SessionStore
    conn: int = NOBODY
    figures: Callable[[], bytes] | None = None
    """Gives what this gateway measures of the connection, empty if it has said so just now."""
    state: Polled | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever `state` is new."""
    log: SessionLog = field(init=False)
    """Shared with all readers of the session once subscribed."""
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _partial: Partial | None = None
    _commit: int = 0
    _epoch: str = ""
    _lost: bool = False
    """Whether the store has lost events since."""

    def __post_init__(self) -> None:
        self.log = SessionLog(self.store, self.session_id)

    def partial(self, partial: Partial) -> None:
        """Keep a partial unless a final has overtaken it."""
        if partial.commit >= self._commit:
            self._partial = partial
            self._news.set()

    def polled(self, polled: Polled, given: int) -> bool:
        """Take the state of the session; says whether it holds events not given out yet.

        `given`: number of the last event given out when the store was asked.
        """
        if polled.outcome is not Outcome.MISSING:
            self._epoch = self._epoch or polled.epoch
            self._lost |= polled.event < given or polled.epoch != self._epoch
        self.state = polled
        self.log.polled(polled)
        self.changed.set()
        behind = polled.event > self.cursor or polled.outcome is Outcome.MISSING or self._lost
        if behind:
            self._news.set()
        return behind

    async def items(self) -> AsyncIterator[Numbered | Partial]:
        """Give what `told` gives, as it stands in the log."""
        async for told in self.told():
            yield told.item

    async def told(self) -> AsyncIterator[Told]:
        """Give events in order, and between them the newest partial.

        Raises ClientError when the session is gone, or held by another connection.
        """
        while True:
            await self._news.wait()
            self._news.clear()
            if self._lost:
                raise ClientError("store_unavailable", "the store has lost events; reconnect")
            while self.state is not None and self.state.event > self.cursor:
                page = await self.log.after(self.cursor)
                if not page:
                    break
                for told in page:
                    self._advance(told)
                    yield told
            if self.state is not None and self.state.outcome is Outcome.MISSING:
                raise ClientError("session_not_found", "the session was removed")
            partial, self._partial = self._partial, None
            if partial is not None and partial.commit >= self._commit:
                yield self.log.told(partial)

    def _advance(self, told: Told) -> None:
        if isinstance(told.item, Numbered):
            self.cursor = told.item.number
            if isinstance(told.item.event, FinalEvent):
                self._commit = told.item.event.commit
