"""A session whose chunks come at a steady pace, stored as a gateway stores them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from steno_common.store.link import patiently
from steno_common.store.sessions import Chunk, Outcome, SessionStore


@dataclass(slots=True)
class Speaker:
    """One session whose chunks come at a steady pace, as a gateway stores them."""

    store: SessionStore
    session_id: str
    told: asyncio.Event
    """Set at every acknowledgement."""
    pause: float
    offset: float
    """Seconds after the others, so that their chunks do not come all at once."""
    acknowledged: int = 0
    """Every chunk up to this one has been acknowledged."""
    high: int = 0
    """The highest chunk ever acknowledged."""
    lost: int = 0
    took: list[float] = field(default_factory=list)
    heard: float = 0.0
    silent: float = 0.0

    async def speak(self) -> None:
        """Store chunks, until cancelled; what a new master lacks is told, and stored anew."""
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(self.offset)
        began = self.heard = clock()
        while True:
            ready = max(int((clock() - began) / self.pause), 1)
            chunks = [_chunk(n) for n in range(self.acknowledged + 1, ready + 1)][:50]
            if chunks:
                await self._store(chunks)
            await asyncio.sleep(self.pause)

    async def _store(self, chunks: Sequence[Chunk]) -> None:
        clock = asyncio.get_running_loop().time
        asked = clock()
        answers = await patiently(lambda: self.store.append(self.session_id, 1, chunks))
        now = clock()
        self.took.append(now - asked)
        self.silent = max(self.silent, now - self.heard)
        self.heard = now
        self.told.set()
        last = answers[-1]
        if last.outcome in {Outcome.DONE, Outcome.NOTHING}:
            self.acknowledged = last.next - 1
            self.high = max(self.high, self.acknowledged)
        else:
            # The server lacks what it had acknowledged: it names the chunk to go on from.
            self.lost += max(self.acknowledged - (last.next - 1), 0)
            self.acknowledged = max(last.next - 1, 0)


def _chunk(number: int) -> Chunk:
    return Chunk(number, number.to_bytes(4, "little"))
