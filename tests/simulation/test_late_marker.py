"""A marker whose first try comes late, when more audio is stored than it was meant for."""

import asyncio

from tests.contract.stores import SID, chunk, session
from tests.simulation.chaos import Calm, Fate
from tests.simulation.processes import Process
from tests.simulation.simulate import LIMITS
from tests.simulation.store import Server, SimLink, SimSessionStore
from tests.simulation.trace import Trace
from tests.simulation.virtual_time import SimLoop

from steno_audio import AudioFormat, decoder_for
from steno_gateway.domain.items import Accepted, Item, Mark
from steno_gateway.ingest import Ingest


class SecondIsLate(Calm):
    """The second call is done when its caller has given it up; all others are done at once."""

    calls = 0

    def fate(self, now: float) -> Fate:
        self.calls += 1
        return "late" if self.calls == 2 else "well"


async def store(server: Server, *items: Item) -> None:
    """Take these items on a connection of their own, and let come what is late."""
    server.execute("create", session(), "epoch")
    server.execute("attach", SID)
    sessions = SimSessionStore(SimLink(server, Process("gateway")), LIMITS)
    decoder = decoder_for(AudioFormat.parse("audio/pcm", sample_rate=16_000, channels=1))
    ingest = Ingest(sessions, SID, 1, decoder, stored=0, received=0, duration_limit=10**9)
    for item in items:
        ingest.put(item)
    running = asyncio.create_task(ingest.run(), name="store")
    await asyncio.sleep(10)
    running.cancel()
    await asyncio.wait([running])


def test_it_stands_only_behind_the_chunk_it_was_meant_for() -> None:
    loop, chaos = SimLoop(1), SecondIsLate(1)
    server = Server(loop, LIMITS, chaos, Trace(loop, None))
    first, second = (Accepted(n, chunk(n).pcm, 0.0) for n in (1, 2))
    loop.run_until_complete(store(server, first, Mark("finalize"), second))
    loop.close()
    assert chaos.calls == 4  # a marker that was tried twice, between two chunks
    assert [entry[0] for entry in server.stored[SID]] == ["1-0", "1-1", "2-0"]
