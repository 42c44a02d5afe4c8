"""One simulation from its seed to its verdict."""

import asyncio
import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from tests.simulation.auditor import Auditor
from tests.simulation.chaos import Chaos
from tests.simulation.fleet import Fleet
from tests.simulation.front import Http
from tests.simulation.incidents import Incidents
from tests.simulation.oracle import Direct, Oracle, changes
from tests.simulation.speaker import Speaker, script
from tests.simulation.store import Server
from tests.simulation.trace import Trace
from tests.simulation.virtual_time import SimLoop, StuckError
from tests.simulation.world import inside

from steno_common.store.limits import Limits
from steno_common.units import to_samples

LIMITS: Final = Limits(shards=2, silence_seconds=1.0, backlog_seconds=4.5, engine_grace_seconds=0.5)
SILENCE: Final = to_samples(LIMITS.silence_seconds)
LIVELY_SECONDS: Final = 60.0
"""After the last fault and the last word everything is done within this time."""


@dataclass
class Verdict:
    """What one simulation came to."""

    seed: object
    faults: list[str] = field(default_factory=list)
    digest: str = ""
    seconds: float = 0.0
    """Virtual."""
    turns: int = 0
    finals: int = 0
    changes: int = 0
    """Of the engines of sessions."""
    kinds: list[str] = field(default_factory=list)
    """Incidents."""


class _Complaints(logging.Handler):
    """Takes what is logged as a fault."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else ""
        self.heard.append(f"logged: {record.getMessage()} {error!r}")


@contextmanager
def _complaints() -> Iterator[list[str]]:
    handler, root = _Complaints(), logging.getLogger()
    root.addHandler(handler)
    try:
        yield handler.heard
    finally:
        root.removeHandler(handler)


def simulate(seed: object, show: Callable[[str], None] | None = None) -> Verdict:
    """Run one seed; `show` takes the lines of its trace."""
    loop, verdict = SimLoop(seed), Verdict(seed)
    chaos, trace = Chaos(seed), Trace(loop, show)
    server = Server(loop, LIMITS, chaos, trace)
    policy = random.Random(f"{seed} policy").choice(((), (), ("a", "b"), ("a", "b", "c")))
    fleet = Fleet(loop, server, LIMITS, chaos, trace, policy)
    with _complaints() as logged, inside(loop, fleet, Http(fleet.doors, chaos, trace), seed):
        run = _Run(loop, chaos, server, fleet, trace, verdict)
        try:
            loop.run_until_complete(run.whole())
        except StuckError as error:
            verdict.faults.append(f"stuck: {error}")
        verdict.faults += logged + loop.faults
        verdict.digest, verdict.seconds, verdict.turns = trace.digest(), loop.now, loop.turns
        loop.close()
    return verdict


@dataclass
class _Run:
    loop: SimLoop
    chaos: Chaos
    server: Server
    fleet: Fleet
    trace: Trace
    verdict: Verdict

    async def whole(self) -> None:
        """Start everything, let it happen, end everything, judge."""
        draw = random.Random(f"{self.verdict.seed} users")
        speakers = [self._speaker(draw, number) for number in range(draw.choice((1, 1, 2)))]
        counts = {role: draw.randint(1, 3 if role == "worker" else 2)
                  for role in ("gateway", "worker", "aggregator", "notifier")}  # fmt: skip
        counts["worker"] = max(counts["worker"], len(self.fleet.policy))
        self.fleet.staff(**counts)
        auditor = Auditor(self.server, self.fleet, speakers)
        incidents = Incidents(self.chaos, self.server, self.fleet,
                              [speaker.process for speaker in speakers], self.trace)  # fmt: skip
        async with asyncio.TaskGroup() as around:
            watching = around.create_task(auditor.run(), name="auditor")
            happening = around.create_task(incidents.run(), name="incidents")
            await self._users(speakers)
            await happening
            watching.cancel()
        self.verdict.kinds = [incident.kind for incident in self.chaos.incidents]
        self.verdict.faults += sorted(auditor.faults)
        if all(speaker.completed for speaker in speakers):
            await asyncio.sleep(1.0)  # whoever was told last has gone
        await self._end()
        for speaker in speakers:
            await self._judge(speaker)

    def _speaker(self, draw: random.Random, number: int) -> Speaker:
        listens = draw.choice((None, draw.uniform(0, 6)))
        return Speaker(f"user {number}", script(draw), listens, self.trace)

    async def _users(self, speakers: list[Speaker]) -> None:
        said = max(sum(s.seconds for s in speaker.steps) for speaker in speakers)
        names = {self.loop.create_task(s.run(), name=s.name, context=s.process.context.copy())
                 for s in speakers}  # fmt: skip
        limit = self.chaos.until + said + LIVELY_SECONDS
        _, late = await asyncio.wait(names, timeout=limit)
        for task in sorted(late, key=lambda task: task.get_name()):
            self.verdict.faults.append(f"{task.get_name()} is not done after {limit:.0f} s")
            task.cancel()
        await asyncio.gather(*names, return_exceptions=True)

    async def _end(self) -> None:
        """Drain all services; nothing may be left of them."""
        for member in self.fleet.members:
            if not member.process.dead:
                await self.fleet.drain(member)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        self.verdict.faults += sorted(f"left: {task.get_name()}" for task in left)
        for task in left:
            task.cancel()

    async def _judge(self, speaker: Speaker) -> None:
        if speaker.session is None:
            self.verdict.faults.append(f"{speaker.name} has no session: {speaker.failure!r}")
            return
        sid = speaker.session.id
        entries = self.server.stored.get(sid, [])
        state = self.server.model.state(sid)
        direct = await Direct().run(entries)
        files = self.fleet.archive.files.get(sid, {})
        oracle = Oracle(speaker, state, entries, direct, files, SILENCE, self.chaos.calm)
        self.verdict.finals += state.finals
        self.verdict.changes += len(changes(state.events))
        self.verdict.faults += [f"{speaker.name}: {fault}" for fault in oracle.faults()]
