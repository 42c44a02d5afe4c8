"""Deliveries of all sessions, wherever their shards live."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from steno_common.store.doorbell import Ring
from steno_common.store.letters import LetterStore
from steno_common.store.sites import Site, at_each_site
from steno_notifier.courier import Courier
from steno_notifier.delivery import Desk
from steno_notifier.live import LivePartials
from steno_notifier.resending import Resender


@dataclass(slots=True)
class Deliveries:
    """A courier at every Redis, woken by the bells that the live fan-out reads."""

    desk: Desk
    live: LivePartials
    _couriers: dict[int, Courier] = field(default_factory=dict)
    """By shard."""

    def hear(self, rings: Sequence[Ring]) -> None:
        """Take note of what rings; waits for nothing."""
        space = self.desk.store.space
        for session_id, partial in rings:
            if partial:
                self.live.hear(session_id, partial)
            elif courier := self._couriers.get(shard := space.session(session_id).shard):
                courier.wake([shard])

    async def run(self) -> None:
        """Work until the process drains, then finish what is on its way."""
        store = self.desk.store
        async with asyncio.TaskGroup() as tasks:
            partials = tasks.create_task(self.live.run(), name="live partials")
            await at_each_site(store.link, store.shards, self._at, ending=self.desk.draining)
            partials.cancel()

    async def _at(self, site: Site) -> None:
        store = self.desk.store
        courier = Courier(self.desk, site)
        letters = Resender(self.desk, LetterStore(store.link, store.limits), site)
        self._couriers |= dict.fromkeys(site, courier)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(courier.run(), name="deliver")
            tasks.create_task(letters.run(), name="resend letters")
