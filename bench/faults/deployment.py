"""A whole Steno of real processes: Redis, any number of each service, an edge before all."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp
from bench.faults.book import Book
from bench.faults.crashing import FOLDER_VARIABLE
from bench.faults.edge import Edge, open_edge
from bench.faults.part import Part
from bench.faults.plan import ROLES
from bench.faults.starting import Exec, Starters, programs, zygotes
from bench.faults.waiting import until
from bench.ports import own_ports

from steno_common.health import PORT_OFFSETS
from steno_standalone.find import find_binaries
from steno_standalone.private_redis import private_redis

OUTPUT: Final = "output"
LOGS: Final = "logs"

_ASK_SECONDS: Final = 5.0


class NotStartedError(Exception):
    """The deployment did not come up."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many processes of each service."""

    gateways: int = 2
    transcribers: int = 2
    aggregators: int = 2
    notifiers: int = 2

    def of(self, role: str) -> int:
        """Give the number of one service's."""
        return int(getattr(self, f"{role}s"))


@dataclass(slots=True)
class Deployment:
    """All parts that run now."""

    folder: Path
    book: Book
    settings: Mapping[str, str]
    starters: Starters
    tasks: asyncio.TaskGroup
    http: aiohttp.ClientSession
    edge: Edge
    redis_url: str = field(repr=False)
    ports: Iterator[int]
    engines: Sequence[str] = ()
    """Of the transcribers, in turn."""
    parts: dict[str, Part] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)

    def of(self, role: str) -> list[Part]:
        """Give the parts of a role, in the order of their names."""
        return [part for part in self.parts.values() if part.role == role]

    def start(self, role: str, **settings: str) -> Part:
        """Start another process of a service, with settings of its own; it is not ready yet."""
        self._numbers[role] = number = self._numbers.get(role, 0) + 1
        port = next(self.ports)
        name = f"{role}-{number}"
        folder = self.folder / LOGS
        part = Part(name, role, self.starters(role), {}, f"http://127.0.0.1:{port}/readyz",
                    folder, self.book)  # fmt: skip
        part.environment = {
            **self.settings,
            "STENO_REDIS_URL": self.redis_url,
            "STENO_OUTPUT": str(self.folder / OUTPUT),
            "STENO_PORT": str(port - PORT_OFFSETS[role]),
            FOLDER_VARIABLE: str(part.crash_folder),
            **settings,
        }
        if self.engines and role == "transcriber":
            engine = self.engines[(number - 1) % len(self.engines)]
            part.environment = {**part.environment, "STENO_ENGINE_NAME": engine}
        if role == "gateway":
            self.edge.add(name, port)
        self._keep(part)
        return part

    def keep_redis(self, program: Exec) -> None:
        """Run Redis, restarted in place at once."""
        folder = self.folder / LOGS
        self._keep(Part("redis", "redis", program, {}, None, folder, self.book))

    def _keep(self, part: Part) -> None:
        self.parts[part.name] = part
        self.tasks.create_task(part.run(), name=part.name)

    async def retire(self, part: Part) -> None:
        """End a process for good, as an orderly stop does; the edge sends it nothing new."""
        self.edge.remove(part.name)
        await part.retire()
        del self.parts[part.name]

    async def ready(self) -> None:
        """Wait until every part is ready, and the edge knows."""
        try:
            for part in list(self.parts.values()):
                await part.ready(self.http)
            async with asyncio.timeout(_ASK_SECONDS):
                await until(lambda: self.edge.reachable)
        except TimeoutError as error:
            raise NotStartedError(f"not ready; logs are in {self.folder / LOGS}") from error

    async def stop(self) -> None:
        """End everything, Redis last."""
        for roles in (("gateway",), ROLES[1:], ("redis",)):
            await asyncio.gather(*(part.retire(10) for role in roles for part in self.of(role)))


@asynccontextmanager
async def deployed(
    folder: Path,
    book: Book,
    size: Size,
    settings: Mapping[str, str],
    *,
    fork: bool = True,
    engines: Sequence[str] = (),
) -> AsyncIterator[Deployment]:
    """Run a deployment in a folder; at the end nothing of it runs. Raises NotStartedError."""
    binaries = find_binaries()
    if not binaries:
        raise NotStartedError("no Redis found: install redis-server")
    (folder / LOGS).mkdir(parents=True)
    async with AsyncExitStack() as stack:
        redis = stack.enter_context(private_redis(binaries[0]))
        starters = await stack.enter_async_context((zygotes if fork else programs)(ROLES))
        timeout = aiohttp.ClientTimeout(total=_ASK_SECONDS)
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=timeout))
        edge = await stack.enter_async_context(open_edge())
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        ports = stack.enter_context(own_ports())
        deployment = Deployment(
            folder, book, settings, starters, tasks, http, edge, redis.url, ports, engines
        )
        try:
            deployment.keep_redis(Exec(redis.program))
            for role in ROLES:
                for _ in range(size.of(role)):
                    deployment.start(role)
            await deployment.ready()
            yield deployment
        finally:
            await deployment.stop()
