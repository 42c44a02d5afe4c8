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

AT_A_TIME: Final = 64
REMEMBERED: Final = 4096
"""Sessions of which it is known whether they have a pipeline."""
WAITING: Final = 1024
"""Sessions whose newest partial waits; of more the first go."""


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
    _targets: OrderedDict[str, Target] = field(default_factory=OrderedDict)
    _going: set[str] = field(default_factory=set)
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
                for session_id in [sid for sid in self._newest if sid not in self._going]:
                    if len(self._going) >= AT_A_TIME:
                        break
                    self._going.add(session_id)
                    tasks.create_task(self._send_newest(session_id), name="partials")

    async def _send_newest(self, session_id: str) -> None:
        try:
            while (payload := self._newest.pop(session_id, None)) is not None:
                await self._send(session_id, payload)
        finally:
            self._going.discard(session_id)
            self._news.set()

    async def _send(self, session_id: str, payload: bytes) -> None:
        try:
            event = decode(payload)
            if not isinstance(event, Partial) or not event.text:
                return
            target = await self._target(session_id)
            if target is None or not target.destinations:
                return
            # Another notifier may have sent the final that this has become by now.
            commits = await self.desk.store.commits(session_id)
        except (MessageError, StoreError):
            return
        if event.commit < commits:
            metrics.PARTIALS.labels("stale").inc()
            return
        for destination in target.destinations:
            parcel = Parcel(target.session, target.epoch, destination, 0, event)
            verdict = await self.desk.send(parcel)
            metrics.PARTIALS.labels(verdict.kind).inc()
            if verdict.kind == "gone":
                self._let_go(session_id, destination)

    def _let_go(self, session_id: str, gone: Destination) -> None:
        """Send no more of a session to a pipeline that takes nothing any more."""
        if target := self._targets.get(session_id):
            left = tuple(each for each in target.destinations if each is not gone)
            self._targets[session_id] = target._replace(destinations=left)

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
