"""One run: a deployment, visitors, faults, then what is left; all of it in a history."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.faults.book import Book, read, writing
from bench.faults.clients import Clients
from bench.faults.deployment import Deployment, Size, deployed
from bench.faults.expected import NUMBERED, expect
from bench.faults.gathering import claims, left, saved
from bench.faults.history import Begun, Calm, Memory
from bench.faults.inject import Injector
from bench.faults.load import Load, Wanted
from bench.faults.plan import plan
from bench.faults.receiver import Receiver, open_receiver
from bench.faults.speech import Speech

from steno_transcriber.settings import RecognitionSettings

SILENCE_SECONDS: Final = 3.0
"""That ends an utterance."""

HISTORY: Final = "history.jsonl"

_MEMORY_SECONDS: Final = 5.0
_END_SECONDS: Final = 300.0
"""For all visitors to end after the last fault."""


@dataclass(frozen=True, slots=True)
class Times:
    """How long things live in Redis, in seconds: short, so that a run sees the end of them."""

    lease: float = 3.0
    abandon: float = 15.0
    retention: float = 15.0
    idle: float = 45.0
    connect: float = 10.0

    def settings(self) -> dict[str, str]:
        """Give the settings of all services."""
        return {
            "STENO_ENGINE": "numbered",
            "STENO_LEASE_SECONDS": str(self.lease),
            "STENO_ABANDON_SECONDS": str(self.abandon),
            "STENO_RETENTION_SECONDS": str(self.retention),
            "STENO_IDLE_SECONDS": str(self.idle),
            "STENO_CONNECT_SECONDS": str(self.connect),
            "STENO_SILENCE_SECONDS": str(SILENCE_SECONDS),
            **ONE_ADDRESS,
        }

    @property
    def longest(self) -> float:
        """After which nothing of a session may be left."""
        return self.abandon + self.retention + self.idle + 60.0


ONE_ADDRESS: Final = {
    "STENO_MAX_CONNECTIONS_PER_IP": "10000",
    "STENO_MAX_HANDSHAKES_PER_SECOND_PER_IP": "10000",
    "STENO_MAX_SESSIONS": "10000",
    "STENO_MAX_WORKER_SESSIONS": "10000",
    "STENO_MAX_RECONNECTIONS": "100000",
}
"""All clients come from one address, and more often than people do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does."""

    seed: int
    wanted: Wanted
    size: Size
    times: Times
    kills: int | None
    """End after so many deaths; None: by time alone."""
    seconds: float | None
    pause: float
    """Mean seconds between two faults."""
    flush: bool = False
    only: Sequence[str] = ()
    """Beginnings of the names of classes; none: all."""
    fork: bool = True
    settings: Mapping[str, str] | None = None
    engines: Sequence[str] = ()
    """Names of the transcribers' engines, in turn; sessions prefer the first."""

    def all_settings(self, receiver: Receiver) -> dict[str, str]:
        """Give the settings of all services, which deliver to this."""
        policy = {"STENO_ENGINES": ",".join(self.engines), "STENO_ENGINE_STAY_SECONDS": "3"}
        return {**self.times.settings(), **receiver.settings(),
                **(policy if self.engines else {}), **(self.settings or {})}  # fmt: skip

    def enough(self) -> Callable[[int], bool]:
        """Give the rule that ends the faults, counted from now."""
        until = None if self.seconds is None else time.monotonic() + self.seconds

        def over(deaths: int) -> bool:
            late = until is not None and time.monotonic() >= until
            return late or (self.kills is not None and deaths >= self.kills)

        return over


async def under_faults(asked: Plan, folder: Path, command: str) -> Path:
    """Do one run in a folder; gives its history. Raises NotStartedError."""
    path = folder / HISTORY
    with writing(path, command, asked.seed, asked.times.lease, deliveries=True) as book:
        async with (
            open_receiver(book) as receiver,
            deployed(
                folder,
                book,
                asked.size,
                asked.all_settings(receiver),
                fork=asked.fork,
                engines=asked.engines,
            ) as deployment,
            watched(deployment) as clients,
        ):
            load = Load(clients, asked.wanted)
            visitors = asyncio.create_task(load.run(), name="visitors")
            injector = Injector(deployment, asked.times.lease)
            faults = plan(asked.seed, asked.pause, flush=asked.flush, only=asked.only,
                          engines=bool(asked.engines))  # fmt: skip
            await injector.run(faults, enough=asked.enough())
            book.put(Calm(book.now))
            load.stop()
            with suppress(TimeoutError):
                await asyncio.wait_for(visitors, _END_SECONDS)
            book.put(await left(deployment, asked.times.longest))
        book.file.flush()
        await gather(folder, book, clients.said)
    return path


@asynccontextmanager
async def watched(deployment: Deployment) -> AsyncIterator[Clients]:
    """Give clients of a deployment; acknowledgements and memory are noted."""
    clients = Clients(deployment.edge.url, deployment.book)
    async with asyncio.TaskGroup() as tasks:
        watching = [
            tasks.create_task(clients.watch(), name="acknowledgements"),
            tasks.create_task(_memory(deployment), name="memory"),
        ]
        try:
            yield clients
        finally:
            for task in watching:
                task.cancel()


async def gather(
    folder: Path,
    book: Book,
    said: Mapping[int, Sequence[Speech]],
    alone: RecognitionSettings = NUMBERED,
) -> None:
    """Add what is known only afterwards, also what an engine alone makes of what was said."""
    began = time.time() - book.now
    for claim in claims(folder, began):
        book.put(claim)
    begun = [record for record in read(folder / HISTORY) if isinstance(record, Begun)]
    ids = {record.session_id: record.session for record in begun if record.manner != "absent"}
    for transcript in saved(folder, ids):
        book.put(transcript)
    heard = {session: said[session] for session in ids.values()}
    for expected in await expect(heard, SILENCE_SECONDS, alone):
        book.put(expected)


async def _memory(deployment: Deployment) -> None:
    while True:
        for part in list(deployment.parts.values()):
            if part.pid is not None and (mib := _resident(part.pid)) is not None:
                deployment.book.put(
                    Memory(part.name, part.role, part.starts, mib, deployment.book.now)
                )
        await asyncio.sleep(_MEMORY_SECONDS)


def _resident(pid: int) -> float | None:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return round(int(line.split()[1]) / 1024, 2)
    except (OSError, ValueError):
        return None
    return None
