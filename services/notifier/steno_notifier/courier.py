"""Deliveries at one Redis: taken as they fall due, carried side by side, held while they last."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from steno_common import tracing
from steno_common.errors import StoreError
from steno_common.logs import about
from steno_common.store.deliveries import LEASE_SECONDS, Place, Standing
from steno_common.store.link import patiently
from steno_common.store.sites import Site
from steno_notifier.delivery import Delivery, Desk

log = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 0.5
"""What no bell has said is found within this time."""
HOLD_SECONDS: Final = LEASE_SECONDS / 3
MOST: Final = 1024
"""Deliveries in hand."""
FULL_SECONDS: Final = 1.0
"""After which a delivery is looked at again whose destination has too much in hand."""


@dataclass(slots=True)
class Courier:
    """Delivers what is due in the shards of one Redis.

    It keeps nothing: cut off at any point, the next notifier goes on once its lease is over.
    """

    desk: Desk
    site: Site
    _in_hand: dict[Place, asyncio.Task[None]] = field(default_factory=dict)
    _taken_again: set[Place] = field(default_factory=set)
    """Of those in hand: something came while the last of what was there was settled."""
    _rung: set[int] = field(default_factory=set)
    """Shards that may have something due."""
    _bell: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self, shards: Iterable[int]) -> None:
        """Look into shards at once."""
        self._rung.update(shards)
        self._bell.set()

    async def run(self) -> None:
        """Work until the process drains, then finish what is on its way."""
        async with asyncio.TaskGroup() as tasks:
            holding = tasks.create_task(self._hold(), name="hold deliveries")
            taking = tasks.create_task(self._take(tasks), name="take deliveries")
            await self.desk.draining.wait()
            taking.cancel()
            await asyncio.wait({taking})
            if self._in_hand:
                await asyncio.wait(set(self._in_hand.values()))
            holding.cancel()

    async def _take(self, tasks: asyncio.TaskGroup) -> None:
        clock = asyncio.get_running_loop().time
        sweep = clock()
        while True:
            await self._rung_until(sweep)
            if clock() >= sweep:
                sweep = clock() + SWEEP_SECONDS
                self._rung.update(self.site)
            room = MOST - len(self._in_hand)
            if room <= 0:
                await asyncio.wait(self._in_hand.values(), return_when=asyncio.FIRST_COMPLETED)
                continue
            shards, self._rung = sorted(self._rung), set()
            await self._start(tasks, shards, max(1, room // len(shards)))

    async def _rung_until(self, when: float) -> None:
        """Wait until a shard may have something due, or it is that time."""
        if self._rung:
            return
        self._bell.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(when):
                await self._bell.wait()

    async def _start(self, tasks: asyncio.TaskGroup, shards: Sequence[int], count: int) -> None:
        """Take up to `count` deliveries of each shard, and begin with them."""
        store = self.desk.store
        taken = await patiently(partial(store.take, shards, count))
        if len(taken) >= count:
            self._rung.update(shards)
        self._taken_again.update(place for place in taken if place in self._in_hand)
        fresh = [place for place in taken if place not in self._in_hand]
        standings = await patiently(partial(store.standing, fresh)) if fresh else {}
        full = []
        for place, standing in standings.items():
            if standing is None:
                await patiently(partial(store.drop, place))
            elif (delivery := self._delivery(place, standing)) is None:
                # Its session has no such destination: nobody waits for anything.
                await patiently(partial(store.settle, place, standing, standing.event))
            elif delivery.lane.is_full:
                full.append(place)
            else:
                delivery.lane.taken += 1
                with tracing.within(standing.session.trace):  # the task goes on in it
                    task = tasks.create_task(self._carry(delivery), name="deliver")
                self._in_hand[place] = task
        if full:
            await patiently(partial(store.put_off, full, FULL_SECONDS))

    def _delivery(self, place: Place, standing: Standing) -> Delivery | None:
        for named in standing.session.destinations:
            if named.name == place.name:
                destination = self.desk.settings.resolve(named)
                lane = self.desk.lanes.to(destination)
                return Delivery(self.desk, place, standing, destination, lane)
        return None

    async def _carry(self, delivery: Delivery) -> None:
        place = delivery.place
        try:
            wait = await delivery.run()
            while wait is None and place in self._taken_again:
                self._taken_again.discard(place)
                wait = await (await self._anew(delivery)).run()
            if wait is not None and wait < SWEEP_SECONDS:
                shard = self.desk.store.keys(place.session_id).shard
                # A little later than Redis counts: its clock has no smaller steps.
                asyncio.get_running_loop().call_later(wait + 0.002, self.wake, [shard])
        except Exception:
            # Its lease runs out, then it is tried again; the others go on.
            log.exception("a delivery failed", extra=about(place.session_id))
        finally:
            delivery.lane.taken -= 1
            self._taken_again.discard(place)
            del self._in_hand[place]

    async def _anew(self, delivery: Delivery) -> Delivery:
        """Give a delivery as it stands now."""
        read = partial(self.desk.store.standing, [delivery.place])
        standing = (await patiently(read)).get(delivery.place)
        return replace(delivery, standing=standing) if standing else delivery

    async def _hold(self) -> None:
        while True:
            await asyncio.sleep(HOLD_SECONDS)
            if self._in_hand:
                try:
                    await self.desk.store.hold(list(self._in_hand))
                except StoreError:
                    log.warning("deliveries could not be held")
