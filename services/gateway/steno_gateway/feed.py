"""News of sessions: doorbells by pub/sub, the truth by number, a sweep for what was missed."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from steno_common.errors import StoreError, StoreUnavailableError
from steno_common.logs import about
from steno_common.messages import Final as FinalEvent
from steno_common.messages import Partial
from steno_common.store.base import Numbered
from steno_common.store.doorbell import heard
from steno_common.store.link import patiently
from steno_common.store.sessions import Outcome, Polled, SessionStore
from steno_common.store.sites import Site, at_each_site
from steno_gateway import metrics
from steno_gateway.domain.errors import ClientError

log = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 1.0
GATHER_SECONDS: Final = 0.01
"""Doorbells within this time are answered by one round trip."""

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
    state: Polled | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever `state` is new."""
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _partial: Partial | None = None
    _commit: int = 0

    def partial(self, partial: Partial) -> None:
        """Keep a partial unless a final has overtaken it."""
        if partial.commit >= self._commit:
            self._partial = partial
            self._news.set()

    def polled(self, polled: Polled) -> bool:
        """Take the state of the session; says whether it holds events not given out yet."""
        self.state = polled
        self.changed.set()
        behind = polled.event > self.cursor or polled.outcome is Outcome.MISSING
        if behind:
            self._news.set()
        return behind

    async def items(self) -> AsyncIterator[Numbered | Partial]:
        """Give events in order, and between them the newest partial.

        Raises ClientError when the session is gone, or held by another connection.
        """
        while True:
            await self._news.wait()
            self._news.clear()
            events = await patiently(lambda: self.store.events(self.session_id, self.cursor))
            while events:
                for event in events:
                    self.cursor = event.number
                    if isinstance(event.event, FinalEvent):
                        self._commit = event.event.commit
                    yield event
                events = await patiently(lambda: self.store.events(self.session_id, self.cursor))
            if self.state is not None and self.state.outcome is Outcome.MISSING:
                raise ClientError("session_not_found", "the session was removed")
            partial, self._partial = self._partial, None
            if partial is not None and partial.commit >= self._commit:
                yield partial


@dataclass(slots=True)
class Feed:
    """All subscriptions of a gateway."""

    store: SessionStore
    _subscriptions: dict[str, set[Subscription]] = field(default_factory=dict)
    _rung: set[str] = field(default_factory=set)
    _ringing: asyncio.Event = field(default_factory=asyncio.Event)
    _added: set[asyncio.Event] = field(default_factory=set)
    """One of each listener, to be set when there is more to listen to."""

    def subscribe(self, subscription: Subscription) -> None:
        """Begin to hear of a session; what it already has comes first."""
        self._subscriptions.setdefault(subscription.session_id, set()).add(subscription)
        for added in self._added:
            added.set()
        self.ring(subscription.session_id)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Hear no more."""
        held = self._subscriptions.get(subscription.session_id, set())
        held.discard(subscription)
        if not held:
            self._subscriptions.pop(subscription.session_id, None)

    def ring(self, session_id: str) -> None:
        """Have a session looked at soon."""
        self._rung.add(session_id)
        self._ringing.set()

    async def run(self) -> None:
        """Listen, answer doorbells, sweep; until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(), name="feed doorbells")
            tasks.create_task(self._answer(), name="feed answers")
            tasks.create_task(self._sweep(), name="feed sweep")

    async def _listen(self) -> None:
        store = self.store
        await at_each_site(store.link, store.shards, self._listen_at)

    async def _listen_at(self, site: Site) -> None:
        added = asyncio.Event()
        self._added.add(added)
        try:
            while True:
                try:
                    added.set()  # for those who are there already
                    await self._listen_once(site, added)
                except StoreUnavailableError as error:
                    log.warning("doorbells are silent", extra=about(error=str(error)))
                    await asyncio.sleep(0.2)
        finally:
            self._added.discard(added)

    async def _listen_once(self, site: Site, added: asyncio.Event) -> None:
        subscribed: set[str] = set()
        async with self.store.link.pubsub(site[0]) as pubsub:
            while True:
                await added.wait()
                keys = [self.store.keys(sid) for sid in self._subscriptions]
                wanted = {each.live for each in keys if each.shard in site}
                added.clear()
                if wanted - subscribed:
                    await pubsub.subscribe(*(wanted - subscribed))
                if subscribed - wanted:
                    await pubsub.unsubscribe(*(subscribed - wanted))
                subscribed = wanted
                if not subscribed:
                    continue
                # Short, so that a new subscription is heard soon; until then the sweep serves it.
                async for session_id, partial in heard(pubsub, 0.1):
                    if partial is None:
                        self.ring(session_id)
                    else:
                        for subscription in self._subscriptions.get(session_id, ()):
                            subscription.partial(partial)
                    if added.is_set():
                        break
                added.set()

    async def _answer(self) -> None:
        while True:
            await self._ringing.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._ringing.clear()
            rung, self._rung = self._rung, set()
            await self._look(rung)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            missed = await self._look(set(self._subscriptions))
            if missed:
                metrics.REPAIRS.inc(missed)

    async def _look(self, session_ids: set[str]) -> int:
        held = [s for sid in session_ids for s in self._subscriptions.get(sid, ())]
        if not held:
            return 0
        try:
            states = await self.store.poll([(s.session_id, s.conn) for s in held])
        except StoreError:
            return 0  # the next sweep looks again
        return sum(s.polled(state) for s, state in zip(held, states, strict=True) if state)
