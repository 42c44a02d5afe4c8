"""Claiming: sessions that wait come to a worker that has room, or to any in the end."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from steno_common.errors import StoreUnavailableError
from steno_common.keys import WAKE_CHANNEL
from steno_common.logs import about
from steno_common.store.sites import Site, at_each_site
from steno_common.store.work import Claim, Waiting, WorkStore
from steno_transcriber.domain.balance import Balance, Grace
from steno_transcriber.domain.capacity import Load
from steno_transcriber.watch import Watch

log = logging.getLogger(__name__)

CLAIM_SECONDS: Final = 0.2
"""How often leases that ran out are looked for; new sessions ring."""


@dataclass(slots=True)
class Claiming:
    """One worker's claims: at once while it has room, else one at a time if nobody else takes it.

    What it cannot take stays in Redis: nothing of it is lost. While its engine is away it leaves
    sessions to others where there are any.
    """

    store: WorkStore
    balance: Balance
    engine: str
    """What policies call this worker's engine."""
    load: Callable[[], Load]
    begin: Callable[[Claim], Awaitable[None]]
    """Takes what was claimed; passes on what its engine should not have now."""
    watch: Watch
    there: Callable[[], Collection[str]]
    """Gives the engines of the other workers that are not away."""
    _grace: Grace = field(default_factory=Grace)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        """Hear of sessions that begin to wait, until cancelled."""
        await at_each_site(self.store.link, self.store.shards, self._listen_at)

    async def _listen_at(self, site: Site) -> None:
        while True:
            try:
                async with self.store.link.pubsub(site[0]) as pubsub:
                    await pubsub.subscribe(WAKE_CHANNEL)
                    while True:
                        if await pubsub.get_message(timeout=1.0) is not None:
                            self._wake.set()
            except StoreUnavailableError as error:
                log.warning("doorbells are silent", extra=about(error=str(error)))
                await asyncio.sleep(CLAIM_SECONDS)

    async def run(self) -> None:
        """Claim, until cancelled."""
        while True:
            try:
                await self._claim(await self.store.waiting(self.engine))
            except StoreUnavailableError as error:
                log.warning("cannot claim", extra=about(error=str(error)))
            try:
                async with asyncio.timeout(CLAIM_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                continue
            self._wake.clear()

    async def _claim(self, waiting: list[Waiting]) -> None:
        ripe = self._grace.ripe(time.monotonic(), (sid for shard in waiting for sid in shard.waits))
        for shard in waiting:
            room = self.balance.room(time.monotonic(), self.load())
            if not room:
                break
            await self._take(shard, self._part(shard, room))
        else:
            if not self.watch.away:
                return
        for shard in waiting:
            if ripe.isdisjoint(shard.waits):
                continue
            if self.balance.hard_room(time.monotonic(), self.load()):
                await self._take(shard, 1)
            return

    def _part(self, waiting: Waiting, room: int) -> int:
        """Say how many sessions of a shard to claim, with room for so many."""
        there = self.there()
        if not self.watch.away or not there:
            return room
        probes = self.watch.room(room)
        # Nobody else would look at the line of this engine: its sessions are to be passed on.
        return probes if self.engine in there else max(probes, min(room, waiting.lined))

    async def _take(self, waiting: Waiting, count: int) -> None:
        if not count:
            return
        try:
            for claim in await self.store.claim(waiting.shard, count, self.engine):
                await self.begin(claim)
        except StoreUnavailableError as error:
            # The other shards may live elsewhere.
            log.warning("cannot claim", extra=about(error=str(error)))
