"""All services of a simulation, several of each: started, killed, frozen, drained, started anew."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

from tests.simulation.archive import MemoryArchive
from tests.simulation.chaos import Chaos
from tests.simulation.engine import SETTINGS, SimEngine
from tests.simulation.front import Door
from tests.simulation.processes import Process, current
from tests.simulation.store import (
    Server,
    SimDoorbellStore,
    SimLink,
    SimSessionStore,
    SimWindowStore,
    SimWorkStore,
)
from tests.simulation.trace import Trace
from tests.simulation.virtual_time import SimTask

from steno_aggregator.worker import Aggregator, Pace
from steno_common.lifecycle import Lifecycle
from steno_common.store.limits import Limits
from steno_common.store.sites import Site, at_each_site
from steno_gateway.access import Access
from steno_gateway.admission import Admission
from steno_gateway.connection import Connection, open_connection
from steno_gateway.domain.pressure import Memory
from steno_gateway.feed import Feed
from steno_gateway.memory import watch_of
from steno_gateway.services import Services
from steno_gateway.settings import GatewaySettings
from steno_notifier.worker import fan_out
from steno_transcriber.domain.capacity import Engine
from steno_transcriber.load import LoadMeter
from steno_transcriber.recognition import open_recognition
from steno_transcriber.settings import RecognitionSettings
from steno_transcriber.worker import Worker

Role = Literal["gateway", "worker", "aggregator", "notifier"]

STAY_SECONDS: Final = 1.0
"""Sessions are as short, and are to go back to engines that come back."""
PACE: Final = Pace(due_seconds=0.1, first_retry_ms=500, longest_retry_ms=4_000)


PLENTY: Final = Memory(available=64 << 30, limit=64 << 30)
"""What is left of the memory of every machine."""


@dataclass
class Member:
    """One place of the fleet, with the process that fills it now."""

    role: Role
    number: int
    process: Process = field(default_factory=lambda: Process("nobody", dead=True))
    life: Lifecycle = field(default_factory=Lifecycle)
    starts: int = 0
    engine: SimEngine | None = None
    door: Door | None = None
    part: Any = None
    """What a test may look into: the worker, the aggregator."""


class Fleet:
    """The installation's processes."""

    def __init__(self, loop: asyncio.AbstractEventLoop, server: Server, limits: Limits,
                 chaos: Chaos, trace: Trace, policy: tuple[str, ...] = ()) -> None:  # fmt: skip
        self.doors: list[Door] = []
        self.archive = MemoryArchive(loop, chaos)
        self.members: list[Member] = []
        self.connections: list[Connection] = []
        """All that were ever opened."""
        self.policy = policy
        """Engines of the sessions, which the workers have in turn; empty: all have the same."""
        self._loop, self._server, self._limits = loop, server, limits
        self._chaos, self._trace = chaos, trace

    def staff(self, **counts: int) -> None:
        """Start so many processes of each role."""
        for role, count in counts.items():
            for number in range(count):
                self.members.append(Member(cast(Role, role), number))
                self.start(self.members[-1])

    def of(self, role: str) -> list[Member]:
        """Give the members of one role."""
        return [member for member in self.members if member.role == role]

    def start(self, member: Member) -> None:
        """Fill a place with a new process."""
        member.starts += 1
        process = Process(f"{member.role} {member.number}.{member.starts}")
        member.process, member.life = process, Lifecycle()
        mains: dict[Role, Callable[[Member, SimLink], Coroutine[Any, Any, None]]] = {
            "gateway": self._gateway, "worker": self._worker,
            "aggregator": self._aggregator, "notifier": self._notifier,
        }  # fmt: skip
        self._trace(process, "starts")
        main = mains[member.role](member, SimLink(self._server, process))
        self._loop.create_task(main, name=str(process), context=process.context.copy())

    async def kill(self, member: Member) -> None:
        """End a process where it stands: nothing that it still does has an effect."""
        process = member.process
        self._trace(process, "is killed")
        process.dead, process.frozen = True, False
        if member.door is not None:
            self.doors.remove(member.door)
            for line in member.door.lines:
                line.lose_somehow()
            member.door = None
        await self._bury(process)

    async def drain(self, member: Member, seconds: float = 20.0) -> None:
        """Stop a process as its supervisor does: it may end its work."""
        self._trace(member.process, "drains")
        member.life.draining.set()
        ends = [
            task for task in self._tasks(member.process) if task.get_name() == str(task.process)
        ]
        if ends:
            await asyncio.wait(ends, timeout=seconds)
        await self.kill(member)

    async def _bury(self, process: Process) -> None:
        for _ in range(100):
            if not (left := self._tasks(process)):
                return
            for task in left:
                task.cancel()
            await asyncio.sleep(0)
        raise AssertionError(f"{process} cannot be killed: {left}")

    def open_connection(self, *args: Any) -> Connection:
        """Open a connection of a gateway, and remember it."""
        self.connections.append(open_connection(*args))
        return self.connections[-1]

    @asynccontextmanager
    async def open_engine(self, _settings: RecognitionSettings) -> AsyncIterator[SimEngine]:
        """Give the engine of the worker that runs now, as the real `open_engine` does."""
        (engine,) = (m.engine for m in self.members if m.process is current())
        assert engine is not None
        yield engine

    def _tasks(self, process: Process) -> list[SimTask]:
        tasks = [cast(SimTask, task) for task in asyncio.all_tasks()]
        return sorted((t for t in tasks if t.process is process), key=lambda t: t.number)

    async def _gateway(self, member: Member, link: SimLink) -> None:
        store, settings = SimSessionStore(link, self._limits), GatewaySettings(engines=self.policy)
        admission = Admission(settings, time.monotonic)
        archive: Any = self.archive
        services = Services(settings, self._limits, store, Feed(store), archive, admission,
                            member.life, Access(None), memory=watch_of(settings))  # fmt: skip
        member.door = Door(member.process, services)
        self.doors.append(member.door)
        async with asyncio.TaskGroup() as tasks:
            watching = services.memory.run(link.memory, lambda: PLENTY)
            running = [
                tasks.create_task(services.feed.run(), name="feed"),
                tasks.create_task(watching, name="watch memory"),
            ]
            await member.life.draining.wait()
            await services.sockets.dismiss(0.5)
            await asyncio.sleep(0.5)
            for task in running:
                task.cancel()

    async def _worker(self, member: Member, link: SimLink) -> None:
        meter = LoadMeter(_at=time.monotonic())
        member.engine = SimEngine(self._chaos)
        async with open_recognition(SETTINGS, meter.observe) as found:
            meter.engine = Engine(found.places, found.window_seconds)
            store = SimWorkStore(link, self._limits)
            engine = self.policy[member.number % len(self.policy)] if self.policy else ""
            member.part = Worker(store, found, meter, 16, engine, STAY_SECONDS)
            await member.part.run(member.life.draining)

    async def _aggregator(self, member: Member, link: SimLink) -> None:
        store, archive = SimWindowStore(link, self._limits), cast(Any, self.archive)

        async def aggregate(site: Site) -> None:
            member.part = Aggregator(store, archive, PACE, site)
            await member.part.run(member.life.draining)

        await at_each_site(store.link, store.shards, aggregate, ending=member.life.draining)

    async def _notifier(self, member: Member, link: SimLink) -> None:
        async with asyncio.TaskGroup() as tasks:
            live = tasks.create_task(fan_out(SimDoorbellStore(link, self._limits)), name="fan out")
            await member.life.draining.wait()
            live.cancel()
