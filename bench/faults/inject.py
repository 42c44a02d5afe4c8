"""Does faults to a deployment, as a plan says."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import ClassVar, Final

from bench.faults import history
from bench.faults.crashing import arm, disarm
from bench.faults.deployment import Deployment
from bench.faults.part import Part
from bench.faults.plan import Fault
from bench.faults.waiting import until
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

ARMED_SECONDS: Final = 15.0
"""A crash point that no process has come to for so long is taken away."""

REDIS_STOP_SECONDS: Final = 2.5
"""Longer than a call of Steno waits: what was asked is done later, and its answer is lost."""
_TRIES: Final = 20


@dataclass(slots=True)
class Injector:
    """Faults, one after the other; those that last run beside the next."""

    deployment: Deployment
    lease: float
    """Seconds; a process is stopped for twice as long."""
    _points: Iterator[int] = field(default_factory=count)

    @property
    def deaths(self) -> int:
        """Processes that have died by SIGKILL so far."""
        return sum(part.deaths for part in self.deployment.parts.values())

    async def run(self, faults: Iterable[Fault], *, enough: Callable[[int], bool]) -> None:
        """Do faults until `enough` says so of the number of deaths; ends when all are over."""
        async with asyncio.TaskGroup() as lasting:
            for fault in faults:
                await asyncio.sleep(fault.after)
                if enough(self.deaths):
                    break
                lasting.create_task(self._do(fault), name=fault.label)

    async def _do(self, fault: Fault) -> None:
        at = self.deployment.book.now
        done = await self._DEEDS[fault.kind](self, fault)
        if done:
            now = self.deployment.book.now
            self.deployment.book.put(history.Fault(fault.label, done, at, now))

    async def _kill(self, fault: Fault) -> str:
        part = self._part(fault)
        return part.name if part.signal(signal.SIGKILL) else ""

    async def _terminate(self, fault: Fault) -> str:
        part = self._part(fault)
        return part.name if part.signal(signal.SIGTERM) else ""

    async def _engine(self, _fault: Fault) -> str:
        """Kill all transcribers of the first engine; they come back when leases have run out."""
        first = self.deployment.engines[0]
        own = [part for part in self.deployment.of("transcriber")
               if part.environment["STENO_ENGINE_NAME"] == first]  # fmt: skip
        for part in own:
            part.away_seconds = 2.1 * self.lease
            part.signal(signal.SIGKILL)
        return " ".join(part.name for part in own)

    async def _stop(self, fault: Fault) -> str:
        part, seconds = self._part(fault), 2.1 * self.lease
        pid = part.pid
        if not part.signal(signal.SIGSTOP):
            return ""
        await asyncio.sleep(REDIS_STOP_SECONDS if part.role == "redis" else seconds)
        if part.pid == pid:  # nobody has killed it meanwhile
            part.signal(signal.SIGCONT)
        return part.name

    async def _crash(self, fault: Fault) -> str:
        """The part itself notes it, if it happens."""
        part, point = self._part(fault), fault.point
        assert point is not None
        path = arm(part.crash_folder, next(self._points), point.side, point.step, point.nth)
        with suppress(TimeoutError):
            async with asyncio.timeout(ARMED_SECONDS):
                await until(lambda: not path.exists())
        disarm(path)
        return ""

    async def _drop(self, fault: Fault) -> str:
        return "edge" if self.deployment.edge.drop(fault.share) else ""

    async def _clients(self, fault: Fault) -> str:
        return await self._tell_redis("CLIENT", "KILL", "TYPE", fault.client_type)

    async def _scripts(self, _fault: Fault) -> str:
        return await self._tell_redis("SCRIPT", "FLUSH")

    async def _flush(self, _fault: Fault) -> str:
        return await self._tell_redis("FLUSHALL")

    async def _tell_redis(self, *command: str) -> str:
        for _ in range(_TRIES):
            with suppress(RedisError, OSError):
                async with asyncio.timeout(1.0), redis_client(self.deployment) as redis:
                    await redis.execute_command(*command)  # type: ignore[no-untyped-call]
                    return "redis"
            await asyncio.sleep(0.1)
        return ""

    def _part(self, fault: Fault) -> Part:
        parts = self.deployment.of(fault.role)
        return parts[fault.which % len(parts)]

    _DEEDS: ClassVar[Mapping[str, Callable[["Injector", Fault], Awaitable[str]]]] = {
        "kill": _kill,
        "stop": _stop,
        "terminate": _terminate,
        "crash": _crash,
        "drop": _drop,
        "clients": _clients,
        "scripts": _scripts,
        "flush": _flush,
        "engine": _engine,
    }


def redis_client(deployment: Deployment) -> Redis:
    """Give a client of the deployment's Redis without retries."""
    return Redis.from_url(deployment.redis_url, retry=Retry(NoBackoff(), 0), protocol=2)
