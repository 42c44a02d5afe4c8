"""The telling side of a session's line: acknowledgements, credit, results."""

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
from steno_gateway.domain.latency import LatencyMeter
from steno_gateway.feed import Subscription
from steno_gateway.ingest import Ingest
from steno_gateway.line import Line

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

SLOW: Final = "words come more than 3 s after their audio; nothing is lost"


@dataclass(slots=True)
class Teller:
    """Tells a client what became of its audio."""

    line: Line
    intake: Intake
    ingest: Ingest
    subscription: Subscription
    backlog_seconds: float
    done: int
    """Highest chunk that is transcribed and committed."""
    latency: LatencyMeter
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
            await self.warn("reconnections", "many connections; block mode, an upload, is steadier")
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
                await self.line.send({"type": "server:ack", "sequence_number": now[0],
                                      "done": now[1], "credit": now[2]})  # fmt: skip
            await asyncio.sleep(ACK_SECONDS)

    async def warn(self, code: str, message: str) -> None:
        """Send a warning without a number."""
        await self.line.send({"type": "server:warning", "code": code, "message": message})

    async def deliver(self) -> None:
        """Send results until the session is over for this client."""
        async for told in self.subscription.told():
            item = told.item
            if isinstance(item, Numbered):
                self._note(item.event)
            taken = told.message is not None and await self.line.send(told.message)
            if isinstance(item, Partial):
                await self._shown(item)
                continue
            if taken:
                self.subscription.handed = item.number
            if isinstance(item.event, FinalEvent) and item.number > self.old:
                metrics.delivered(item.event.created_ms, time.time() * 1000, final=True)
                tracing.event("final delivered", number=item.number)

    def _note(self, event: Event) -> None:
        if isinstance(event, FinalEvent):
            self.latency.final(event)
        elif isinstance(event, Warned) and event.code == "high_latency":
            self.lag.late(self.ingest.stored)

    async def _shown(self, partial: Partial) -> None:
        metrics.delivered(partial.created_ms, time.time() * 1000, final=False)
        latency_ms = self.latency.partial(partial, time.monotonic() * 1000)
        if latency_ms is not None and self.lag.slow(latency_ms, self.ingest.stored):
            await self.warn("high_latency", SLOW)

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
            self.latency.done(polled.done)
            self.ingest.relieve(polled.backlog)
            self.ingest.progress.set()
            now, stored = time.monotonic(), self.ingest.stored
            unheard = self.latency.stalled(now * 1000, self.subscription.heard)
            if unheard and self.lag.behind(stored):
                await self.warn("high_latency", SLOW)
            told = self.lag.look(now, unclaimed=polled.unclaimed, stored=stored, done=self.done)
            if told is not None:
                await self.warn(told, LAG[told])
