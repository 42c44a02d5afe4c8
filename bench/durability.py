"""What a killed Redis loses of acknowledged audio, in each mode of its log.

    .venv/bin/python -m bench.durability                        # 5 kills of each mode
    .venv/bin/python -m bench.durability --slow-sync 700        # on a disk that syncs in 0.7 s

Sessions append 40 ms chunks one after the other, each when the one before it is acknowledged. The
server is killed with SIGKILL in the midst of that and started again; what was acknowledged and is
not there is lost. `--slow-sync` takes a C compiler.
"""

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from redis import Redis, RedisError

from steno_common.errors import StoreError
from steno_common.messages import Session
from steno_common.store.limits import Limits
from steno_common.store.link import open_link, patiently
from steno_common.store.sessions import Chunk, SessionStore
from steno_standalone.find import find_binaries

SESSIONS: Final = 16
CHUNK: Final = Chunk(0, bytes(1_280))
LIMITS: Final = Limits(backlog_seconds=1e6)
LOG: Final = ("--appendonly", "yes", "--appendfsync")
MODES: Final[Mapping[str, tuple[str, ...]]] = {
    "nothing": ("--appendonly", "no"),
    "everysec": (*LOG, "everysec"),
    "always": (*LOG, "always"),
    "no": (*LOG, "no"),
    "no, rewriting": (*LOG, "no"),
}
"""By name: the options; while the last one works, its log is rewritten all the time."""
SAFE: Final = {"always", "no", "no, rewriting"}
"""Those that must not lose anything to a kill."""


@dataclass
class Seen:
    """What a mode came to."""

    acknowledged: int = 0
    lost: int = 0
    rewrites: int = 0
    seconds: float = 0.0
    answers: list[float] = field(default_factory=list)


@dataclass
class Server:
    """One Redis with a folder and a socket of its own."""

    program: str
    folder: Path
    options: tuple[str, ...]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"unix://{self.folder}/redis.sock"

    def start(self) -> None:
        """Start it, and wait until it has read its log."""
        self.process = subprocess.Popen(
            [self.program, "--port", "0", "--unixsocket", f"{self.folder}/redis.sock",
             "--dir", str(self.folder), "--save", "", "--loglevel", "warning", *self.options],
            env=dict(self.environment), stdout=subprocess.DEVNULL,
        )  # fmt: skip
        while True:
            try:
                with self.client() as client:
                    client.ping()
                return
            except (RedisError, OSError):
                time.sleep(0.01)

    def kill(self) -> None:
        """Kill it as `kill -9` does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def client(self) -> Redis:
        """Make a client."""
        return Redis.from_url(self.url)


async def write(store: SessionStore, session_id: str, seen: Seen, killed: asyncio.Event) -> int:
    """Append until the server is gone; gives the number of the last acknowledged chunk."""
    acknowledged = 0
    while True:
        chunk = Chunk(acknowledged + 1, CHUNK.pcm)
        began = time.perf_counter()
        try:
            (answer,) = await store.append(session_id, 1, [chunk])
        except StoreError:
            if killed.is_set():
                return acknowledged
            continue  # it only took too long
        seen.answers.append(time.perf_counter() - began)
        acknowledged = answer.next - 1


async def begin(store: SessionStore, session_id: str) -> None:
    """Make a session with one connection, whose number is 1."""
    session = Session(session_id, 0, "audio/pcm")
    await patiently(lambda: store.create(session, "bench"))
    keys = store.keys(session_id)
    await patiently(
        lambda: store.link.ask(keys.shard, lambda pipe: pipe.hset(keys.meta, "conn", 1))
    )


async def rewrite(server: Server, seen: Seen) -> None:
    """Have the log rewritten again and again."""
    with server.client() as client:
        while True:
            try:
                if not client.info("persistence")["aof_rewrite_in_progress"]:
                    client.bgrewriteaof()
                    seen.rewrites += 1
            except (RedisError, OSError):
                return
            await asyncio.sleep(0.05)


async def one_kill(server: Server, seconds: float, seen: Seen, *, rewriting: bool) -> None:
    """Write, kill, start again, count."""
    names = [str(uuid.uuid4()) for _ in range(SESSIONS)]
    async with open_link(server.url) as link:
        store = SessionStore(link, LIMITS)
        killed = asyncio.Event()
        await asyncio.gather(*(begin(store, name) for name in names))
        writers = [asyncio.create_task(write(store, name, seen, killed)) for name in names]
        rewriter = asyncio.create_task(rewrite(server, seen)) if rewriting else None
        await asyncio.sleep(seconds)
        killed.set()
        server.kill()
        acknowledged = await asyncio.gather(*writers)
        if rewriter is not None:
            await rewriter
    seen.seconds += seconds
    server.start()
    async with open_link(server.url) as link:
        store = SessionStore(link, LIMITS)
        for name, sent in zip(names, acknowledged, strict=True):
            snapshot = await store.snapshot(name)
            there = 0 if snapshot is None else snapshot.chunks
            seen.acknowledged += sent
            seen.lost += max(sent - there, 0)
    with server.client() as client:
        client.flushall()


@contextmanager
def environment(slow_sync_ms: int) -> Iterator[Mapping[str, str]]:
    """Give the environment of a server whose disk is as slow as that."""
    plain = {"PATH": os.defpath}
    if not slow_sync_ms:
        yield plain
        return
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder, "slow_sync.so")
        source = Path(__file__).with_name("slow_sync.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        yield plain | {"LD_PRELOAD": str(library), "SLOW_SYNC_MS": str(slow_sync_ms)}


def measure(program: str, mode: str, asked: argparse.Namespace) -> Seen:
    """Kill one server so often."""
    seen, folder = Seen(), Path(tempfile.mkdtemp(dir=asked.folder))
    with environment(asked.slow_sync) as variables:
        server = Server(program, folder, MODES[mode], variables)
        server.start()
        try:
            for _ in range(asked.kills):
                asyncio.run(one_kill(server, asked.seconds, seen, rewriting="rewriting" in mode))
        finally:
            server.kill()
            shutil.rmtree(folder)
    return seen


def main() -> int:
    """Measure, print; 1 if the mode that Steno runs with lost anything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of writing before each kill")
    parser.add_argument("--folder", type=Path, help="where the log is; else for temporary files")
    parser.add_argument("--slow-sync", type=int, default=0, metavar="MS")
    asked = parser.parse_args()
    binary = find_binaries()[0]
    print(f"{Path(binary.path).name} {binary.version}, {SESSIONS} sessions, {asked.kills} kills, "
          f"each sync takes {asked.slow_sync} ms more")  # fmt: skip
    print(f"{'appendfsync':>14}{'acknowledged':>14}{'lost':>8}{'a second':>10}"
          f"{'p50 ms':>9}{'p99 ms':>9}{'rewrites':>10}")  # fmt: skip
    failed = False
    for mode in MODES:
        seen = measure(binary.path, mode, asked)
        parts = statistics.quantiles(seen.answers, n=100)
        print(f"{mode:>14}{seen.acknowledged:>14}{seen.lost:>8}"
              f"{seen.acknowledged / seen.seconds:>10.0f}{parts[49] * 1000:>9.2f}"
              f"{parts[98] * 1000:>9.2f}{seen.rewrites:>10}", flush=True)  # fmt: skip
        failed |= mode in SAFE and seen.lost > 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
