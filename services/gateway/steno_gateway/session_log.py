"""The end of a session's log, read and put into words once for all who read it."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import msgspec

from steno_common.messages import Numbered, Partial, Translation
from steno_common.public import Json
from steno_common.store.link import patiently
from steno_common.store.sessions import Polled, SessionStore
from steno_gateway.domain.choice import Choice
from steno_gateway.domain.server import (
    event_message,
    partial_message,
    snapshot_message,
    translation_message,
)
from steno_gateway.domain.story import Story

PAGE: Final = 32
"""Events that a reader is given at once: as many may wait in memory for each one who is slow."""
STORY_PAGE: Final = 1_000
RECENT: Final = 64
"""Events of a session that are kept for its other readers."""
SUMMARIES: Final = 16
"""Kept of one session, each as long as its text: readers may think of any number of choices."""
SUMMARY_BYTES: Final = 8 << 20
"""That those of one session take, unless the newest alone takes more."""


@dataclass(eq=False)
class Told:
    """Something that readers of a session are told, put into words once for all of them."""

    session_id: str
    item: Numbered | Partial
    story: Story = field(default_factory=Story)
    """It tells what a translation is of, to those whose reading it has kept up with."""

    @property
    def number(self) -> int | None:
        """The number of a durable event, None for a partial."""
        return self.item.number if isinstance(self.item, Numbered) else None

    @cached_property
    def message(self) -> Json | None:
        """The message, None for an event that only services need."""
        if isinstance(self.item, Partial):
            return partial_message(self.session_id, self.item)
        if isinstance(translation := self.item.event, Translation):
            segment = self.story.segments.get(translation.event)
            return translation_message(self.session_id, self.item.number, translation, segment)
        return event_message(self.session_id, self.item.number, self.item.event)

    @property
    def type(self) -> str:
        """What kind of message it is; there must be one."""
        assert self.message is not None
        return str(self.message["type"])

    @cached_property
    def encoded(self) -> bytes:
        """The message as JSON."""
        return msgspec.json.encode(self.message)


@dataclass(frozen=True, eq=False)
class Summary:
    """What a session's log says so far, in one message."""

    number: int
    """Of the event behind which its reader goes on."""
    type: str
    encoded: bytes
    """The message as JSON."""


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
    _story: Story = field(default_factory=Story)
    """Kept up with what is read once somebody has asked for it."""
    _summaries: dict[Choice, Summary] = field(default_factory=dict)
    """Of the story as it is."""
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def last(self) -> int:
        """Number of the newest event that was read."""
        return self._recent[-1].number or 0 if self._recent else self._base

    def polled(self, polled: Polled) -> None:
        """Forget what a Redis that lost data does not know any more."""
        known, self._epoch = self._epoch or polled.epoch, polled.epoch
        if polled.event < max(self.last, self._story.through) or polled.epoch != known:
            self._recent.clear()
            self._base = polled.event
            self._story, self._summaries = Story(), {}

    def told(self, partial: Partial) -> Told:
        """Give the one form of a partial for all its readers."""
        if self._partial is None or self._partial.item is not partial:
            self._partial = Told(self.session_id, partial)
        return self._partial

    async def story(self, through: int) -> Story:
        """Give what the log says through an event at least; waits for as long as Redis is away."""
        while (known := self._story.through) < through:
            page = await self.after(known, STORY_PAGE)
            if not page:
                break
            self._go_on(known, [told.item for told in page if isinstance(told.item, Numbered)])
        return self._story

    def summary(self, epoch: str, choice: Choice) -> Summary:
        """Give the story in one message, the same for all who choose the same."""
        if choice not in self._summaries:
            message = snapshot_message(self.session_id, epoch, self._story, choice)
            encoded = msgspec.json.encode(message)
            self._summaries[choice] = Summary(self._story.told, message["type"], encoded)
            while self._has_too_many:
                del self._summaries[next(iter(self._summaries))]
        return self._summaries[choice]

    @property
    def _has_too_many(self) -> bool:
        """Whether the oldest of several summaries should go."""
        held = [len(summary.encoded) for summary in self._summaries.values()]
        return len(held) > 1 and (len(held) > SUMMARIES or sum(held) > SUMMARY_BYTES)

    def _go_on(self, after: int, events: Sequence[Numbered]) -> None:
        if events and events[-1].number > self._story.through:
            self._summaries.clear()
            self._story.take(after, events)

    async def after(self, cursor: int, count: int = PAGE) -> list[Told]:
        """Give what follows an event, a page at most; waits for as long as Redis is away."""
        async with self._reading:  # who comes second finds what the first has read
            if self._base <= cursor < self.last:
                return [told for told in self._recent if (told.number or 0) > cursor][:count]
            found = await patiently(lambda: self.store.events(self.session_id, cursor, count))
            page = [Told(self.session_id, event, self._story) for event in found]
            if page and self.readers > 1 and cursor >= self.last:
                self._keep(cursor, page)
            if self._story.through:
                self._go_on(cursor, found)
            return page

    def _keep(self, cursor: int, page: list[Told]) -> None:
        if cursor > self.last:
            self._recent.clear()
        if not self._recent:
            self._base = cursor
        self._recent.extend(page)
        while len(self._recent) > RECENT:
            self._base = self._recent.popleft().number or 0
