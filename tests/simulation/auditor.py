"""What must hold at every moment: looked at many times a second."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, Final

from tests.simulation.fleet import Fleet
from tests.simulation.speaker import POLICY, Speaker
from tests.simulation.store import Server

from steno_aggregator.worker import SAVES_WAITING
from steno_gateway.ingest import MAX_ITEMS
from steno_transcriber.inbox import INBOX_BYTES

LOOK_SECONDS: Final = 0.05
READ_BYTES: Final = 100 * 32_000
"""What one more read may bring beyond the bound of an inbox."""


class Auditor:
    """Looks into clients and services."""

    def __init__(self, server: Server, fleet: Fleet, speakers: Sequence[Speaker]) -> None:
        self.faults: set[str] = set()
        self._server, self._fleet, self._speakers = server, fleet, speakers

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self.faults.update(self._look())
            await asyncio.sleep(LOOK_SECONDS)

    def _look(self) -> Iterator[str]:
        for speaker in self._speakers:
            if speaker.session is not None:
                yield from self._promises_to(speaker)
        for member in self._fleet.members:
            if member.part is not None and not member.process.dead:
                yield from self._bounds_of(member.role, member.part)
            if member.door is not None:
                yield from self._bounds_of_gateway(member.door.services)

    def _promises_to(self, speaker: Speaker) -> Iterator[str]:
        assert speaker.session is not None
        outbox: Any = speaker.session._conversation.outbox
        state = self._server.model.state(speaker.session.id)
        if outbox.stored >= max(state.next, 1):
            yield "a chunk was acknowledged that is not stored"
        if any(n not in outbox._chunks for n in range(state.done + 1, outbox.last + 1)):
            yield "the client has forgotten a chunk that is not done"
        if outbox.waiting_bytes > POLICY.buffer_seconds * 32_000 + 32_000:
            yield "the client keeps more than it may"

    def _bounds_of(self, role: str, part: Any) -> Iterator[str]:
        if role == "aggregator" and part._ended.qsize() > SAVES_WAITING:
            yield "more saves wait than may"
        if role == "worker":
            for held in part._held.values():
                if held.session.inbox._queued * 2 > INBOX_BYTES + READ_BYTES:
                    yield "an inbox holds more than it may"

    def _bounds_of_gateway(self, services: Any) -> Iterator[str]:
        for connection in self._fleet.connections:
            if connection.dialogue.intake.queued_bytes > services.settings.max_queued_bytes:
                yield "more audio waits in a gateway than may"
            if len(connection.ingest._items) > MAX_ITEMS:
                yield "more items wait in a gateway than may"
