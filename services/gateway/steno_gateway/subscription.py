"""Readers of a session's log, each at its own pace, told what they have chosen."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final

from steno_common.messages import Event, Numbered, Partial
from steno_common.messages import Final as FinalEvent
from steno_common.store.sessions import Outcome, Polled, SessionStore
from steno_gateway.domain.choice import EVERYTHING_SAID, Choice
from steno_gateway.domain.ending import completes, has_all
from steno_gateway.domain.errors import ClientError
from steno_gateway.session_log import SessionLog, Summary, Told

NOBODY: Final = -1
"""Connection number of a listener: it holds no session."""


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
    choice: Choice = EVERYTHING_SAID
    patience_seconds: float = 0.0
    """How long after the end of a session its reader waits for what is still to be translated."""
    figures: Callable[[], bytes] | None = None
    """Gives what this gateway measures of the connection, empty if it has said so just now."""
    state: Polled | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever `state` is new."""
    heard: int = 0
    """Sample through which the newest partial, with words or without, says that was heard."""
    handed: int = 0
    """Number of the last event that the reader's socket took, 0 while there is none."""
    log: SessionLog = field(init=False)
    """Shared with all readers of the session once subscribed."""
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _partial: Partial | None = None
    _commit: int = 0
    _epoch: str = ""
    _lost: bool = False
    """Whether the store has lost events since."""
    _completed: bool = False
    """Whether the session's own last event was given out, or lies before the first that was."""
    _until: float | None = None
    """When the reader waits no longer."""

    def __post_init__(self) -> None:
        self.log = SessionLog(self.store, self.session_id)

    def partial(self, partial: Partial) -> None:
        """Keep a partial unless a final has overtaken it, or it holds no words to be told."""
        self.heard = max(self.heard, partial.end)
        if partial.text and partial.commit >= self._commit:
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

    async def summary(self, epoch: str, through: int) -> Summary:
        """Give what the log says through an event at least; what follows it is told next."""
        await self.log.story(through)
        summary = self.log.summary(epoch, self.choice)
        self.cursor = summary.number
        return summary

    async def told(self) -> AsyncIterator[Told]:
        """Give what the reader wants: events in order, and between them the newest partial.

        Ends with the session, see `domain/ending.py`. Raises ClientError when the session is gone,
        or held by another connection.
        """
        while not await self._over() and await self._rung():
            if self._lost:
                raise ClientError("store_unavailable", "the store has lost events; reconnect")
            while self.state is not None and self.state.event > self.cursor:
                page = await self._page()
                if not page:
                    break
                for told in page:
                    self._advance(told)
                    if self.choice.wants(_content(told)):
                        yield told
                    if self._completed and not self.choice.languages:
                        return
            if self.state is not None and self.state.outcome is Outcome.MISSING:
                raise ClientError("session_not_found", "the session was removed")
            partial, self._partial = self._partial, None
            if partial and partial.commit >= self._commit and self.choice.wants(partial):
                yield self.log.told(partial)

    async def _rung(self) -> bool:
        """Wait for news; False when the reader waits no longer."""
        try:
            async with asyncio.timeout_at(self._until):
                await self._news.wait()
        except TimeoutError:
            return False
        self._news.clear()
        return True

    async def _page(self) -> list[Told]:
        page = await self.log.after(self.cursor)
        if page and self.choice.languages:
            await self.log.story(page[-1].number or 0)  # of which final a translation is
        return page

    async def _over(self) -> bool:
        """Say whether nothing is left to be told; sets the time until which that is waited for."""
        if not self.choice.languages:
            return self._completed
        story = await self.log.story(self.cursor)
        self._completed |= 0 < story.completed <= self.cursor
        if self._completed and self._until is None:
            self._until = asyncio.get_running_loop().time() + self.patience_seconds
        return has_all(self.choice, self.cursor, story)

    def _advance(self, told: Told) -> None:
        if isinstance(told.item, Numbered):
            self.cursor = told.item.number
            self._completed |= completes(told.item)
            if isinstance(told.item.event, FinalEvent):
                self._commit = told.item.event.commit


def _content(told: Told) -> Event | Partial:
    return told.item.event if isinstance(told.item, Numbered) else told.item
