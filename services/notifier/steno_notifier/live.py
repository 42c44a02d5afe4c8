"""Live partials on their way to pipelines: the newest counts, none is tried twice."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from steno_common.errors import MessageError, StoreError
from steno_common.messages import Destination, Partial, Session, decode
from steno_common.store.deliveries import Place
from steno_notifier import metrics
from steno_notifier.delivery import Desk
from steno_notifier.domain.outgoing import Parcel
from steno_notifier.lanes import Lane, Lanes

AT_A_TIME: Final = 64
"""Sessions that are looked at; partials that are sent to one pipeline."""
REMEMBERED: Final = 4096
"""Sessions of which it is known whether they have a pipeline."""
WAITING: Final = 1024
"""Sessions whose newest partial waits to be looked at; of more the first go."""
IN_HAND: Final = 4096
"""Partials that are sent, or wait for their turn; of more the last go."""
LENGTH: Final = 512
"""Of these, to one pipeline: one that hangs leaves room for the others."""


class Target(NamedTuple):
    """Where the partials of a session go."""

    session: Session
    epoch: str
    destinations: tuple[Destination, ...]
    """Resolved."""


@dataclass(slots=True)
class LivePartials:
    """Sends partials of sessions with a pipeline; one is lost rather than late."""

    desk: Desk
    _newest: OrderedDict[str, bytes] = field(default_factory=OrderedDict)
    """Encoded, of sessions to be looked at."""
    _looking: set[str] = field(default_factory=set)
    _targets: OrderedDict[str, Target] = field(default_factory=OrderedDict)
    _next: dict[Place, Parcel | None] = field(default_factory=dict)
    """The newest for each pipeline that something is sent to; None: it is on its way."""
    _lanes: Lanes = field(default_factory=lambda: Lanes(AT_A_TIME))
    """Not those of the events, which wait for no partial."""
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, session_id: str, payload: bytes) -> None:
        """Take an encoded partial, in the place of an older one; waits for nothing."""
        target = self._targets.get(session_id)
        if "pipeline" not in self.desk.senders or (target and not target.destinations):
            return
        self._newest[session_id] = payload
        if len(self._newest) > WAITING:
            self._newest.popitem(last=False)
        self._news.set()

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._news.wait()
                self._news.clear()
                for session_id in [sid for sid in self._newest if sid not in self._looking]:
                    if len(self._looking) >= AT_A_TIME:
                        break
                    self._looking.add(session_id)
                    tasks.create_task(self._look(session_id, tasks), name="partials")

    async def _look(self, session_id: str, tasks: asyncio.TaskGroup) -> None:
        try:
            while (payload := self._newest.pop(session_id, None)) is not None:
                await self._hand_on(session_id, payload, tasks)
        finally:
            self._looking.discard(session_id)
            self._news.set()

    async def _hand_on(self, session_id: str, payload: bytes, tasks: asyncio.TaskGroup) -> None:
        try:
            event = decode(payload)
            if not isinstance(event, Partial) or not event.text:
                return
            target = await self._target(session_id)
        except (MessageError, StoreError):
            return
        for destination in target.destinations if target else ():
            assert target is not None
            parcel = Parcel(target.session, target.epoch, destination, 0, event)
            place = Place(session_id, destination.name)
            if place in self._next:
                self._next[place] = parcel
                continue
            lane = self._lanes.to(destination)
            if lane.taken >= LENGTH or len(self._next) >= IN_HAND:
                metrics.PARTIALS.labels("full").inc()
                continue
            lane.taken += 1
            self._next[place] = parcel
            tasks.create_task(self._send_newest(place, lane), name="send partials")

    async def _send_newest(self, place: Place, lane: Lane) -> None:
        try:
            while self._next[place] is not None:
                async with lane.turn():
                    parcel, self._next[place] = self._next[place], None
                    assert parcel is not None
                    await self._send(parcel)
        finally:
            lane.taken -= 1
            del self._next[place]

    async def _send(self, parcel: Parcel) -> None:
        session_id, event = parcel.session.session_id, parcel.event
        assert isinstance(event, Partial)
        try:
            # Another notifier may have sent the final that this has become by now.
            commits = await self.desk.store.commits(session_id)
        except StoreError:
            return
        if event.commit < commits:
            metrics.PARTIALS.labels("stale").inc()
            return
        verdict = await self.desk.send(parcel)
        metrics.PARTIALS.labels(verdict.kind).inc()
        if verdict.kind == "gone":
            self._let_go(session_id, parcel.destination)

    def _let_go(self, session_id: str, gone: Destination) -> None:
        """Send no more of a session to a pipeline that takes nothing any more."""
        if target := self._targets.get(session_id):
            left = tuple(each for each in target.destinations if each is not gone)
            self._targets[session_id] = target._replace(destinations=left)
        self._next[Place(session_id, gone.name)] = None

    async def _target(self, session_id: str) -> Target | None:
        if session_id in self._targets:
            self._targets.move_to_end(session_id)
            return self._targets[session_id]
        place = Place(session_id, "")
        standing = (await self.desk.store.standing([place])).get(place)
        if standing is None:
            return None
        session, resolve = standing.session, self.desk.settings.resolve
        pipelines = tuple(resolve(each) for each in session.destinations if each.kind == "pipeline")
        self._targets[session_id] = target = Target(session, standing.epoch, pipelines)
        if len(self._targets) > REMEMBERED:
            self._targets.popitem(last=False)
        return target
