"""Balancing: how a worker stands is said once a second, what it cannot serve well is given up."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
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
from steno_transcriber.domain.homing import Guest, Homing
from steno_transcriber.domain.stay import Stay
from steno_transcriber.watch import Watch

log = logging.getLogger(__name__)

BEAT_SECONDS: Final = 1.0


@dataclass(slots=True)
class Balancing:
    """One worker's word to the others, with what follows from theirs."""

    store: WorkerStore
    balance: Balance
    homing: Homing
    engine: str
    """What policies call this worker's engine."""
    clock: RedisClock
    load: Callable[[], Load]
    stays: Callable[[], Mapping[str, Stay]]
    """By session, the newest last."""
    give_up: Callable[[Collection[str]], Awaitable[None]]
    send_home: Callable[[Collection[str]], None]
    usage: Callable[[], Usage]
    gpu: Callable[[], GpuUse | None]
    watch: Watch = field(default_factory=Watch)
    there: Collection[str] = field(default_factory=frozenset)
    """Engines of the other workers that were heard lately, but for those that are away."""
    _sent: set[Guest] = field(default_factory=set)
    """Guests that go at their next border, whenever it comes."""

    async def run(self) -> None:
        """Speak, listen, give up, until cancelled."""
        while True:
            load = self.load()
            now = time.monotonic()
            room = self.watch.room(self.balance.room(now, load))
            hard_room = self.watch.room(self.balance.hard_room(now, load))
            share = load.demand / load.places
            metrics.ENGINE_AWAY.set(self.watch.away)
            metrics.ROOM.set(room)
            metrics.DEMAND.set(share)
            metrics.REALTIME.set(load.realtime_factor)
            guests, usage = self._guests(), self.usage()
            metrics.GUESTS.set(len(guests))
            report = Report(
                room, hard_room, is_strained(load), load.sessions, share, load.lag,
                usage.cpu_percent, usage.memory_bytes, self.gpu(), self.engine, len(guests),
                self.watch.away,
            )  # fmt: skip
            try:
                heard = await self.store.beat(self.balance.worker, report)
            except StoreError as error:
                log.warning("no word of other workers", extra=about(error=str(error)))
            else:
                self.clock.set(heard.now_ms)
                peers = [_peer(name, report) for name, report in heard.others.items()]
                self.there = {each.engine for each in heard.others.values() if not each.away}
                await self._share(peers)
                self._send_home(guests, peers)
            await asyncio.sleep(BEAT_SECONDS)

    async def leave(self) -> None:
        """Tell the others that this worker ends."""
        try:
            await self.store.leave(self.balance.worker)
        except StoreError as error:
            # They notice its silence.
            log.warning("cannot leave", extra=about(error=str(error)))

    def _guests(self) -> list[Guest]:
        now_ms = self.clock.now_ms()
        return [
            Guest(session_id, stay.since, tuple(homes))
            for session_id, stay in self.stays().items()
            if (homes := stay.homes(now_ms))
        ]

    def _send_home(self, guests: Sequence[Guest], peers: Sequence[Peer]) -> None:
        self._sent.intersection_update(guests)
        staying = [guest for guest in guests if guest not in self._sent]
        going = self.homing.going(time.monotonic(), staying, peers)
        self._sent.update(guest for guest in staying if guest.session in going)
        self.send_home(going)

    async def _share(self, peers: Sequence[Peer]) -> None:
        stays = self.stays()
        # Who may take none of the sessions here is no help, whatever room it has.
        helping = [
            peer for peer in peers if any(stay.may_go_to(peer.engine) for stay in stays.values())
        ]
        count = self.balance.give_up(time.monotonic(), self.load(), helping)
        if not count:
            return
        able = {peer.engine for peer in helping if peer.room or peer.hard_room}
        going = [sid for sid, stay in stays.items() if any(map(stay.may_go_to, able))][-count:]
        log.info("sessions given up", extra=about(count=len(going)))
        metrics.GIVEN_UP.inc(len(going))
        await self.give_up(going)


def _peer(name: str, report: Report) -> Peer:
    return Peer(name, report.room, report.hard_room, report.strained, report.demand,
                report.engine, report.guests)  # fmt: skip
