"""Brings about what the chaos of a seed has planned."""

import asyncio
import random
from collections.abc import Sequence

from tests.simulation.chaos import Chaos, Incident
from tests.simulation.fleet import Fleet, Member
from tests.simulation.processes import Process
from tests.simulation.store import Server
from tests.simulation.trace import Trace


class Incidents:
    """Carries incidents out, each at its moment; what was killed starts again."""

    def __init__(self, chaos: Chaos, server: Server, fleet: Fleet, clients: Sequence[Process],
                 trace: Trace) -> None:  # fmt: skip
        self._clients = clients
        self._chaos, self._server, self._fleet, self._trace = chaos, server, fleet, trace

    async def run(self) -> None:
        """Do all of it."""
        clock = asyncio.get_running_loop().time
        async with asyncio.TaskGroup() as group:
            for incident in self._chaos.incidents:
                await asyncio.sleep(max(0.0, incident.at - clock()))
                group.create_task(self._happen(incident), name=incident.kind)

    async def _happen(self, incident: Incident) -> None:
        draw = random.Random(incident.draw)
        verb, _, object_ = incident.kind.partition(" ")
        if incident.kind == "freeze store":
            self._server.frozen_until = asyncio.get_running_loop().time() + draw.choice(
                (0.5, 1.5, 3.0, 5.0)
            )
            self._trace("store", "is frozen until", self._server.frozen_until)
        elif incident.kind == "store clock jumps":
            self._server.ahead_ms += draw.choice((500, 3_000, 10_000))
            self._trace("store", "jumps ahead")
        elif incident.kind == "store fills":
            self._server.full_until = asyncio.get_running_loop().time() + draw.choice((1.5, 3.0))
            self._trace("store", "is full until", self._server.full_until)
        elif incident.kind == "freeze client":
            await self._freeze(draw.choice(self._clients), draw)
        elif incident.kind == "lose connections":
            for line in [line for door in self._fleet.doors for line in door.lines if line.open]:
                line.lose_somehow()
            self._trace("network", "loses all connections")
        elif incident.kind == "engine fails":
            for member in self._fleet.of("worker"):
                if member.engine is not None:
                    member.engine.failing += 3
        else:
            await self._strike(verb, draw.choice(self._fleet.of(object_)), draw)

    async def _strike(self, verb: str, member: Member, draw: random.Random) -> None:
        if member.process.dead or member.process.frozen or member.life.draining.is_set():
            return
        if verb == "freeze":
            await self._freeze(member.process, draw)
            return
        await (self._fleet.drain(member) if verb == "drain" else self._fleet.kill(member))
        await asyncio.sleep(draw.choice((0.05, 0.5, 2.0)))
        self._fleet.start(member)

    async def _freeze(self, process: Process, draw: random.Random) -> None:
        """Stop a process for a while, then let it go on as if nothing had been."""
        self._trace(process, "is frozen")
        process.frozen = True
        await asyncio.sleep(draw.choice((0.3, 2.0, 4.0, 7.0)))
        process.frozen = False
        self._trace(process, "goes on")
