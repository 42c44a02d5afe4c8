"""News of sessions: doorbells by pub/sub, the truth by number, a sweep for what was missed."""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Final

from steno_common.errors import StoreError, StoreUnavailableError
from steno_common.logs import about
from steno_common.store.doorbell import heard
from steno_common.store.sessions import SessionStore
from steno_common.store.sites import Site, at_each_site
from steno_gateway import metrics
from steno_gateway.subscription import Subscription

__all__ = ["Feed", "Subscription"]

log = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 1.0
GATHER_SECONDS: Final = 0.01
"""Doorbells within this time are answered by one round trip."""


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
        readers = self._subscriptions.setdefault(subscription.session_id, set())
        if readers:
            subscription.log = next(iter(readers)).log
        readers.add(subscription)
        subscription.log.readers = len(readers)
        for added in self._added:
            added.set()
        self.ring(subscription.session_id)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Hear no more."""
        held = self._subscriptions.get(subscription.session_id, set())
        held.discard(subscription)
        subscription.log.readers = len(held)
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
        # All listeners of a session ask the same: once is enough.
        asked = list(dict.fromkeys((s.session_id, s.conn) for s in held))
        figures = {(s.session_id, s.conn): s.figures() for s in held if s.figures is not None}
        handed = {(s.session_id, s.conn): s.handed for s in held}
        try:
            given = [subscription.cursor for subscription in held]
            answers = await self.store.poll(asked, figures, handed)
        except StoreError:
            return 0  # the next sweep looks again
        states = dict(zip(asked, answers, strict=True))
        looked = [
            (subscription, state, cursor)
            for subscription, cursor in zip(held, given, strict=True)
            if (state := states[subscription.session_id, subscription.conn])
        ]
        return sum(subscription.polled(state, cursor) for subscription, state, cursor in looked)
