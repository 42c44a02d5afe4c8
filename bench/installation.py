"""Redis with the four services, each a process of its own that a bench may watch and disturb."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
from bench.ports import free_port
from bench.processes import plain_environment, running

from steno_common.health import PORT_OFFSETS
from steno_standalone.child import Program
from steno_standalone.domain.binaries import Binary
from steno_standalone.find import find_binaries
from steno_standalone.private_redis import private_redis
from steno_standalone.ready import is_ready, redis_answers

SERVICES: Final = tuple(PORT_OFFSETS)
READY_SECONDS: Final = 150.0
REDIS_SECONDS: Final = 60.0
MANY_CLIENTS: Final = {
    "STENO_MAX_CONNECTIONS_PER_IP": "100000",
    "STENO_MAX_HANDSHAKES_PER_SECOND_PER_IP": "100000",
}
"""Settings for those that all come from here."""
HARMLESS: Final = {"debug", "info", "warning"}


class NotRunningError(Exception):
    """A part did not come up; the message holds the last lines of its log."""


@dataclass(frozen=True, slots=True)
class Part:
    """One process, and the file that it writes its log into."""

    name: str
    process: asyncio.subprocess.Process
    log: Path
    address: str = ""
    """Of its HTTP port, if it has one."""

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.returncode is None

    @property
    def faults(self) -> list[str]:
        """Lines of its log that tell of an error: nothing may ever be there but what is known."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [f"{self.name}: {line}" for line in lines if _tells_of_a_fault(line)]

    @property
    def resident_mb(self) -> float:
        """Memory that it has now (RSS), in MB of 2**20 bytes."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = [line for line in text.splitlines() if line.startswith("VmRSS")]
        return int(line.split()[1]) / 1024

    @property
    def cpu_seconds(self) -> float:
        """Processor time that it has used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def waited_seconds(self) -> float:
        """Time that its first thread could have run so far and had no core (Linux)."""
        _, waited, _ = Path(f"/proc/{self.process.pid}/schedstat").read_text().split()
        return int(waited) / 1e9


@dataclass(frozen=True, slots=True)
class Installation:
    """All parts, by name."""

    parts: Mapping[str, Part]

    @property
    def url(self) -> str:
        """Address of the gateway."""
        return self.parts["gateway"].address

    @property
    def faults(self) -> list[str]:
        """What went wrong inside any service, whoever was told."""
        return [fault for part in self.parts.values() for fault in part.faults]


def _tells_of_a_fault(line: str) -> bool:
    try:
        return json.loads(line)["level"] not in HARMLESS
    except (ValueError, TypeError, KeyError):
        return bool(line.strip())  # what is no line of our log comes from the interpreter


def best_redis() -> Binary:
    """Give the server that an installation would choose; raises NotRunningError."""
    if found := find_binaries():
        return found[0]
    raise NotRunningError("no Redis found: install redis-server or valkey-server")


@asynccontextmanager
async def redis_server(folder: Path, binary: Binary | None = None) -> AsyncIterator[str]:
    """Run a private Redis, as an installation does; gives its URL."""
    with private_redis(binary or best_redis()) as private:
        async with running(private.program, folder / "redis.log"):
            await redis_answers(private.url, REDIS_SECONDS)
            yield private.url


@asynccontextmanager
async def service(
    name: str, folder: Path, redis_url: str, settings: Mapping[str, str]
) -> AsyncIterator[Part]:
    """Run one of the services, as `installation` does; it is not ready yet."""
    port = free_port()
    environment = plain_environment() | {
        "STENO_ENGINE": "scripted", "STENO_OUTPUT": str(folder / "output"),
        "STENO_GOAWAY_SECONDS": "0", "PYTHONUNBUFFERED": "1", "STENO_REDIS_URL": redis_url,
        "STENO_PORT": str(port - PORT_OFFSETS[name]), **settings,
    }  # fmt: skip
    program = Program(name, (sys.executable, "-m", f"steno_{name}"), environment)
    log = folder / f"{name}.log"
    scheme = "https" if settings.get("STENO_TLS_CERT") else "http"
    async with running(program, log) as process:
        yield Part(name, process, log, f"{scheme}://127.0.0.1:{port}")


@asynccontextmanager
async def installation(
    folder: Path, redis_urls: str | Mapping[str, str], settings: Mapping[str, str] | None = None
) -> AsyncIterator[Installation]:
    """Run the four services with the scripted engine, logs and transcripts in a folder.

    `redis_urls` may give each service its own way to the one Redis; `settings` are STENO_
    variables of all services. Ready when it begins, gone when it ends, whatever happens.
    """
    async with AsyncExitStack() as held:
        parts = {}
        for name in SERVICES:
            url = redis_urls if isinstance(redis_urls, str) else redis_urls[name]
            starting = service(name, folder, url, settings or {})
            parts[name] = await held.enter_async_context(starting)
        await ready(list(parts.values()))
        yield Installation(parts)


@asynccontextmanager
async def private_installation(settings: Mapping[str, str]) -> AsyncIterator[Installation]:
    """Run Redis with the four services in a folder of their own, which goes at the end."""
    with tempfile.TemporaryDirectory(prefix="steno-bench-") as name:
        folder = Path(name)
        async with redis_server(folder) as url, installation(folder, url, settings) as steno:
            yield steno


async def ready(parts: Sequence[Part], seconds: float = READY_SECONDS) -> None:
    """Wait until parts are ready; raises NotRunningError."""
    timeout = aiohttp.ClientTimeout(2.0)
    waiting = list(parts)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as http, asyncio.timeout(seconds):
            while waiting:
                waiting = [part for part in waiting if not await _is_ready(http, part)]
                await asyncio.sleep(0.05 if waiting else 0)
    except TimeoutError as error:
        raise _not_running(waiting[0]) from error


async def _is_ready(http: aiohttp.ClientSession, part: Part) -> bool:
    if not part.alive:
        raise _not_running(part)
    return await is_ready(http, f"{part.address}/readyz")


def _not_running(part: Part) -> NotRunningError:
    tail = part.log.read_text(errors="replace")[-2_000:]
    return NotRunningError(f"{part.name} did not come up. Its last lines:\n{tail}")
