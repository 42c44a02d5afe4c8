"""A worker whose lease ran out unnoticed, and came back after another owner."""

import asyncio

import numpy as np
from tests.contract.stores import SID, chunk, final, session, span
from tests.simulation.chaos import Calm
from tests.simulation.fleet import Fleet
from tests.simulation.front import Http
from tests.simulation.simulate import LIMITS
from tests.simulation.store import Server
from tests.simulation.trace import Trace
from tests.simulation.virtual_time import SimLoop
from tests.simulation.world import inside

from steno_common.keys import KeySpace
from steno_common.messages import Ended
from steno_common.store.sessions import Chunk

SHARD = KeySpace(LIMITS.shards).session(SID)
SPOKEN = np.random.default_rng(1).integers(-9_000, 9_000, 9_600).astype("<i2").tobytes()


async def another_owner(server: Server, fleet: Fleet) -> None:
    """Let a worker hold half a segment, another one finish it, and audio come behind it."""
    do = server.execute
    do("create", session(), "epoch")
    do("attach", SID)
    do("append", SID, 1, [Chunk(1, SPOKEN)])
    fleet.staff(worker=1)
    await asyncio.sleep(1.2)  # it has claimed, read and renewed
    server.ahead_ms += LIMITS.lease_ms
    (claim,) = do("claim", SHARD, 1)
    do("mark", SID, 1, "finalize")
    samples = len(SPOKEN) // 2
    assert do("commit", claim, span(1, "1-1", samples, speech=samples, events=(final(0, samples),)))
    do("append", SID, 1, [chunk(2, 6_400)])
    do("release", claim)
    do("mark", SID, 1, "end")
    await asyncio.sleep(5)
    await fleet.drain(fleet.of("worker")[0])


def test_it_goes_on_where_the_other_stopped() -> None:
    loop, chaos = SimLoop(1), Calm(1)
    trace = Trace(loop, None)
    server = Server(loop, LIMITS, chaos, trace)
    fleet = Fleet(loop, server, LIMITS, chaos, trace)
    with inside(loop, fleet, Http(fleet.doors, chaos, trace), 1):
        loop.run_until_complete(another_owner(server, fleet))
    loop.close()
    state = server.model.state(SID)
    assert isinstance(state.events[-1], Ended)
    assert (state.received, state.transcribed, state.silence) == (16_000, 9_600, 6_400)
