"""Rolling restarts under live sessions: `python -m bench.faults.rolling --sessions 200`.

Each process of each service in turn is replaced the way Kubernetes does it: a new one is started,
gets ready, then the old one is sent nothing new, and ends in order.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.faults.book import read, writing
from bench.faults.check import judge
from bench.faults.clients import Clients, Visit
from bench.faults.deployment import Deployment, NotStartedError, Size, deployed
from bench.faults.gathering import left
from bench.faults.history import Calm, Fault, Record, Sent
from bench.faults.part import Part
from bench.faults.plan import ROLES
from bench.faults.rules import SILENT_SECONDS
from bench.faults.run import HISTORY, Times, gather, watched
from bench.faults.speech import Speech, speech

import steno_client

_CHUNK_SECONDS: Final = (0.2, 0.5)
_ARRIVAL_SECONDS: Final = 5.0
"""Over which sessions begin."""
_BETWEEN_SECONDS: Final = 1.0
"""From one replacement to the next."""
_LISTENERS_EACH: Final = 10
"""One of so many sessions has a listener."""


@dataclass(frozen=True, slots=True)
class Rolling:
    """What is asked for."""

    seed: int
    sessions: int
    seconds: float
    """Of audio in each session: it has to last until every process is replaced."""
    times: Times
    fork: bool = True
    command: str = "bench.faults.rolling"


async def rolled(asked: Rolling, folder: Path) -> Path:
    """Replace every process once; gives the history. Raises NotStartedError."""
    speeches = {
        session: speech(asked.seed, session, asked.seconds, _CHUNK_SECONDS)
        for session in range(asked.sessions)
    }
    path = folder / HISTORY
    with writing(path, asked.command, asked.seed, asked.times.lease) as book:
        async with (
            deployed(folder, book, Size(), asked.times.settings(), fork=asked.fork) as deployment,
            watched(deployment) as clients,
            asyncio.TaskGroup() as tasks,
        ):
            visitors = [
                tasks.create_task(_visitor(clients, asked, session, each), name=f"visit {session}")
                for session, each in speeches.items()
            ]
            await asyncio.sleep(_ARRIVAL_SECONDS + _BETWEEN_SECONDS)
            for role in ROLES:
                for part in deployment.of(role):
                    await _replace(deployment, part)
                    await asyncio.sleep(_BETWEEN_SECONDS)
            book.put(Calm(book.now))
            await asyncio.wait(visitors)
            book.put(await left(deployment, asked.times.longest))
        await gather(folder, book, clients.said)
    return path


async def _visitor(clients: Clients, asked: Rolling, session: int, said: Speech) -> None:
    await asyncio.sleep(_ARRIVAL_SECONDS * session / asked.sessions)
    listeners = int(session % _LISTENERS_EACH == 0)
    # As a user's client is: no more patient than it comes.
    policy = steno_client.Policy()
    await clients.visit(Visit(session, (said,), listeners=listeners, policy=policy))


async def _replace(deployment: Deployment, part: Part) -> None:
    new = deployment.start(part.role)
    await new.ready(deployment.http)
    since = deployment.book.now
    await deployment.retire(part)
    now = deployment.book.now
    deployment.book.put(Fault(f"replace {part.role}", part.name, since, now))


def too_short(records: Sequence[Record]) -> bool:
    """Say whether sessions had nothing more to say before the last process was replaced."""
    calm = next((record.at for record in records if isinstance(record, Calm)), 0.0)
    ends: dict[int, float] = {}
    for record in records:
        if isinstance(record, Sent):
            ends[record.session] = record.at
    return min(ends.values(), default=0.0) < calm


def main() -> int:
    """Replace, then judge: 1 if a promise was not kept."""
    parser = argparse.ArgumentParser(prog="python -m bench.faults.rolling", description=__doc__)
    parser.add_argument("--sessions", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0, help="of audio in each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--exec", action="store_true", help="start programs instead of forks")
    parser.add_argument("--folder", type=Path, help="keep history, logs and transcripts here")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="steno-rolling-") as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        command = " ".join(["bench.faults.rolling", *sys.argv[1:]])
        rolling = Rolling(
            asked.seed, asked.sessions, asked.seconds, Times(), not asked.exec, command
        )
        try:
            records = read(asyncio.run(rolled(rolling, folder)))
        except NotStartedError as error:
            print(error, file=sys.stderr)
            return 1
    wrong = judge(records, SILENT_SECONDS)
    if too_short(records):
        print("sessions ended before the last process was replaced: give them more --seconds")
        return 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
