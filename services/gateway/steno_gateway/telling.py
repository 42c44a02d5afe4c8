"""The telling side of a session's socket: acknowledgements, credit, results."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from steno_common import tracing
from steno_common.messages import Event, Numbered, Partial, Warned
from steno_common.messages import Final as FinalEvent
from steno_common.store.sessions import Outcome
from steno_common.units import to_samples
from steno_gateway import metrics
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.intake import Intake, credit
from steno_gateway.domain.lag import LagWatch, Told
from steno_gateway.feed import Subscription
from steno_gateway.ingest import Ingest
from steno_gateway.socket import Peer

ACK_SECONDS: Final = 0.1
MANY_CONNECTIONS: Final = 4
"""From this connection of a session on, its client is told that an upload would be steadier."""
ENDING: Final = to_samples(30)
"""So long before the longest duration the client is told."""
LAG: Final[Mapping[Told, str]] = MappingProxyType(
    {
        "high_latency": "the audio waits for a transcriber; nothing is lost",
        "latency_normal": "all audio that waited is transcribed",
    }
)


@dataclass(slots=True)
class Teller:
    """Tells a client what became of its audio."""

    peer: Peer
    intake: Intake
    ingest: Ingest
    subscription: Subscription
    backlog_seconds: float
    done: int
    """Highest chunk that is transcribed and committed."""
    lag: LagWatch = field(default_factory=LagWatch)
    old: int = 0
    """Number of the newest event that was there before this connection."""
    connections: int = 1
    """Of this session so far."""
    _told: tuple[int, int, int] | None = None
    """The last acknowledgement."""

    def settle(self) -> None:
        """Bring the intake's bounds up to what is stored and committed."""
        settled, self.ingest.settled = self.ingest.settled, []
        for size in settled:
            self.intake.stored(size)
        ingest, room = self.ingest, to_samples(self.backlog_seconds)
        more = credit(room, ingest.backlog, ingest.received, ingest.stored)
        self.intake.limit = ingest.stored + (0 if ingest.inflow.stopped else more)

    def repeat(self) -> None:
        """Send the next acknowledgement even if it says nothing new."""
        self._told = None

    async def acknowledge(self) -> None:
        """Send an acknowledgement whenever there is something new to say."""
        ending = self.ingest.duration_limit - ENDING
        if self.connections >= MANY_CONNECTIONS:
            await self.warn("reconnections", "many connections; an upload is steadier")
        while True:
            await self.ingest.progress.wait()
            self.ingest.progress.clear()
            self.settle()
            if self.ingest.received > ending:
                ending = self.ingest.duration_limit
                await self.warn("duration_limit", "the longest duration is less than 30 s away")
            stored = self.ingest.stored
            now = (stored, self.done, max(self.intake.limit - stored, 0))
            if now != self._told:
                self._told = now
                await self.peer.send({"type": "server:ack", "sequence_number": now[0],
                                      "done": now[1], "credit": now[2]})  # fmt: skip
            await asyncio.sleep(ACK_SECONDS)

    async def warn(self, code: str, message: str) -> None:
        """Send a warning without a number."""
        await self.peer.send({"type": "server:warning", "code": code, "message": message})

    async def deliver(self) -> None:
        """Send results until the session is over for this client."""
        async for told in self.subscription.told():
            item = told.item
            if isinstance(item, Numbered) and is_late(item.event):
                self.lag.late(self.ingest.stored)
            if told.message is not None:
                await self.peer.send_encoded(told.encoded)
            if isinstance(item, Partial):
                metrics.delivered(item.created_ms, time.time() * 1000, final=False)
            elif isinstance(item.event, FinalEvent) and item.number > self.old:
                metrics.delivered(item.event.created_ms, time.time() * 1000, final=True)
                tracing.event("final delivered", number=item.number)

    async def follow(self) -> None:
        """Follow the state that the feed brings; raises ClientError when the session is lost."""
        changed = self.subscription.changed
        while True:
            await changed.wait()
            changed.clear()
            polled = self.subscription.state
            if polled is None:
                continue
            if polled.outcome is Outcome.SUPERSEDED:
                raise ClientError("connection_superseded", "a newer connection holds the session")
            if polled.outcome is Outcome.MISSING:
                raise ClientError("session_not_found", "the session was removed")
            self.done = polled.done
            self.ingest.relieve(polled.backlog)
            self.ingest.progress.set()
            told = self.lag.look(time.monotonic(), unclaimed=polled.unclaimed,
                                 stored=self.ingest.stored, done=self.done)  # fmt: skip
            if told is not None:
                await self.warn(told, LAG[told])


def is_late(event: Event) -> bool:
    """Say whether a transcriber tells of text that is late."""
    return isinstance(event, Warned) and event.code == "high_latency"
