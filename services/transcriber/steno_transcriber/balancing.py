"""Balancing: how a worker stands is said once a second, what it cannot serve well is given up."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from steno_common.errors import StoreError
from steno_common.logs import about
from steno_common.measured import GpuUse, Report
from steno_common.process import Usage
from steno_common.store.workers import WorkerStore
from steno_transcriber import metrics
from steno_transcriber.clock import RedisClock
from steno_transcriber.domain.balance import Balance, Peer, is_strained
from steno_transcriber.domain.capacity import Load

log = logging.getLogger(__name__)

BEAT_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Balancing:
    """One worker's word to the others, with what follows from theirs."""

    store: WorkerStore
    balance: Balance
    clock: RedisClock
    load: Callable[[], Load]
    give_up: Callable[[int], Awaitable[None]]
    usage: Callable[[], Usage]
    gpu: Callable[[], GpuUse | None]

    async def run(self) -> None:
        """Speak, listen, give up, until cancelled."""
        while True:
            load = self.load()
            now = time.monotonic()
            room, hard_room = self.balance.room(now, load), self.balance.hard_room(now, load)
            share = load.demand / load.places
            metrics.ROOM.set(room)
            metrics.DEMAND.set(share)
            metrics.REALTIME.set(load.realtime_factor)
            usage = self.usage()
            report = Report(
                room, hard_room, is_strained(load), load.sessions, share, load.lag,
                usage.cpu_percent, usage.memory_bytes, self.gpu(),
            )  # fmt: skip
            try:
                heard = await self.store.beat(self.balance.worker, report)
            except StoreError as error:
                log.warning("no word of other workers", extra=about(error=str(error)))
            else:
                self.clock.set(heard.now_ms)
                await self._share(heard.others)
            await asyncio.sleep(BEAT_SECONDS)

    async def leave(self) -> None:
        """Tell the others that this worker ends."""
        try:
            await self.store.leave(self.balance.worker)
        except StoreError as error:
            # They notice its silence.
            log.warning("cannot leave", extra=about(error=str(error)))

    async def _share(self, others: Mapping[str, Report]) -> None:
        peers = [
            Peer(name, report.room, report.hard_room, report.strained, report.demand)
            for name, report in others.items()
        ]
        count = self.balance.give_up(time.monotonic(), self.load(), peers)
        if count:
            log.info("sessions given up", extra=about(count=count))
            metrics.GIVEN_UP.inc(count)
            await self.give_up(count)
