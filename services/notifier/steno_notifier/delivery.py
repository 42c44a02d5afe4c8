"""One delivery: the events behind its cursor, in order, to one destination."""

import asyncio
import logging
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from steno_common.destinations import DestinationSettings
from steno_common.letters import Letter
from steno_common.logs import about
from steno_common.messages import Destination, Numbered, Utterance
from steno_common.messages import Final as FinalEvent
from steno_common.store.deliveries import DeliveryStore, Made, Place, Settled, Standing, advanced
from steno_common.store.link import patiently
from steno_notifier import metrics, traces
from steno_notifier.domain.outgoing import Parcel, Plan, Sender, Verdict, plans, wants
from steno_notifier.lanes import Lane, Lanes

log = logging.getLogger(__name__)

PAGE: Final = 50
"""Events read at a time."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What all deliveries of a notifier share."""

    store: DeliveryStore
    settings: DestinationSettings
    senders: Mapping[str, Sender]
    draining: asyncio.Event
    letters: int = 10_000
    """That each shard keeps."""
    lanes: Lanes = field(default_factory=Lanes)

    @property
    def plans(self) -> Mapping[str, Plan]:
        """When failed tries are repeated, by kind of destination."""
        settings = self.settings
        return plans(settings.webhook_retries, settings.relay_retries, settings.relay_seconds)

    async def send(self, parcel: Parcel) -> Verdict:
        """Try once; a fault of a sender is a failed try, which must not stop the others."""
        with traces.attempt(parcel):
            verdict = await self._send(parcel)
            traces.judged(verdict)
        return verdict

    async def _send(self, parcel: Parcel) -> Verdict:
        kind = parcel.destination.kind
        sender = self.senders.get(kind)
        if sender is None:
            return Verdict("never", "no_sender")
        try:
            return await sender.send(parcel)
        except Exception:
            session_id = parcel.session.session_id
            log.exception("a sender failed", extra=about(session_id, code=kind))
            return Verdict("again", "fault")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is to be delivered to one destination of one session, taken from all notifiers."""

    desk: Desk
    place: Place
    standing: Standing
    destination: Destination
    """Resolved."""
    lane: Lane
    """The way that it shares with others."""

    async def run(self) -> float | None:
        """Deliver what there is, until a try fails or the process drains.

        Gives the seconds until the next try; None: nothing of it is left to this notifier.
        """
        store, standing, lane = self.desk.store, self.standing, self.lane
        while True:
            after = standing.cursor
            made, through = await patiently(partial(store.made, self.place.session_id, after, PAGE))
            for each in made:
                if not wants(self.destination, each.numbered.event):
                    continue
                parcel = await self._parcel(standing, each.numbered)
                async with lane.turn():
                    if self.desk.draining.is_set():
                        await patiently(partial(store.put_off, [self.place]))
                        return None
                    verdict = await self._try(parcel, standing)
                settled, wait = await self._settle(parcel, each, standing, verdict)
                if settled is not Settled.MORE:
                    return wait
                gone = verdict.kind == "gone"
                standing = advanced(standing, each.numbered.number, gone=gone)
            # A log without what the session counts has been lost: it has nothing to deliver.
            through = through if through > after else standing.event
            if standing.cursor < through or not made:
                settled = await patiently(partial(store.settle, self.place, standing, through))
                if settled is not Settled.MORE:
                    return None
                standing = advanced(standing, through)

    async def _parcel(self, standing: Standing, numbered: Numbered) -> Parcel:
        finals: tuple[Numbered, ...] = ()
        if isinstance(event := numbered.event, Utterance):
            first, count = event.first_event, event.last_event - event.first_event + 1
            read = partial(self.desk.store.events, self.place.session_id, first - 1, count)
            finals = tuple(n for n in await patiently(read) if isinstance(n.event, FinalEvent))
        return Parcel(standing.session, standing.epoch, self.destination, numbered.number,
                      numbered.event, finals, standing.tries)  # fmt: skip

    async def _try(self, parcel: Parcel, standing: Standing) -> Verdict:
        if standing.gone:
            return Verdict("gone", "gone")
        kind = self.destination.kind
        if standing.tries:
            metrics.RETRIES.labels(kind).inc()
        verdict = await self.desk.send(parcel)
        metrics.TRIES.labels(kind, verdict.kind).inc()
        return verdict

    async def _settle(
        self, parcel: Parcel, made: Made, standing: Standing, verdict: Verdict
    ) -> tuple[Settled, float | None]:
        """Have Redis know what became of a try; gives the wait until the next one, if any."""
        store, kind = self.desk.store, self.destination.kind
        if verdict.kind == "delivered":
            if made.at_ms:
                metrics.DELIVERY.labels(kind).observe(max(0.0, time.time() - made.at_ms / 1000))
            return await patiently(partial(store.settle, self.place, standing, parcel.number)), None
        if verdict.kind == "again":
            chance = random.random()  # noqa: S311  (a spread, not a secret)
            wait = self.desk.plans[kind].wait(standing.tries + 1, chance, verdict.after_seconds)
            if wait is not None:
                await patiently(partial(store.retry, self.place, standing, wait))
                return Settled.ELSEWHERE, wait
        letter = self._letter(parcel, made, standing, verdict.reason)
        write = partial(store.give_up, self.place, standing, letter, most=self.desk.letters,
                        gone=verdict.kind == "gone")  # fmt: skip
        settled = await patiently(write)
        if settled > Settled.ELSEWHERE:
            metrics.DEAD.labels(kind).inc()
            log.warning("not delivered", extra=about(
                self.place.session_id, code=kind, reason=verdict.reason, attempt=letter.tries
            ))  # fmt: skip
        return settled, None

    def _letter(self, parcel: Parcel, made: Made, standing: Standing, reason: str) -> Letter:
        session, name = parcel.session, self.place.name
        return Letter(
            id=parcel.id, session=session, epoch=parcel.epoch,
            destination=next(each for each in session.destinations if each.name == name),
            number=made.numbered.number, event=made.numbered.event,
            finals=tuple((final.number, final.event) for final in parcel.finals),
            tries=standing.tries + (not standing.gone), reason=reason, created_ms=made.at_ms,
        )  # fmt: skip
