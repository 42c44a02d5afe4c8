"""The typed stores on one Redis, for asynchronous tests."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest
from tests.contract.machine.state import State, look
from tests.redis_servers import RedisServer

from steno_common.keys import SessionKeys
from steno_common.messages import Destination, Session
from steno_common.messages import Final as FinalText
from steno_common.store.backlog import BacklogStore
from steno_common.store.deliveries import DeliveryStore
from steno_common.store.doorbell import DoorbellStore, Ring
from steno_common.store.letters import LetterStore
from steno_common.store.limits import Limits
from steno_common.store.link import Link
from steno_common.store.saves import SaveStore
from steno_common.store.sessions import Chunk, SessionStore
from steno_common.store.windows import WindowStore
from steno_common.store.work import Claim, Commit, WorkStore

LIMITS: Final = Limits(shards=2, lease_seconds=60)
SID: Final = "11111111-1111-4111-8111-111111111111"


def session(session_id: str = SID, *to: Destination) -> Session:
    """Give a session of raw audio, with where it is delivered to."""
    return Session(session_id, 1_700_000_000_000, "audio/pcm", destinations=to)


def chunk(sequence: int, samples: int = 100) -> Chunk:
    """Give a chunk whose audio says its number."""
    return Chunk(sequence, sequence.to_bytes(2, "little") * samples, b"carry %d" % sequence)


def final(start: int, end: int, text: str = "word", commit: int = 1) -> FinalText:
    """Give a final without details."""
    return FinalText(text, (), start, end, 1.0, sequence_number=1, commit=commit)


def span(number: int, consumed: str, end: int, **changes: Any) -> Commit:
    """Give a commit of silence through `end`, in samples, that consumed all before it."""
    done = int(consumed.partition("-")[0])
    plain = Commit(number, consumed, done, end, end, "", end, speech=0, silence=0)
    return replace(plain, **changes)


@dataclass(frozen=True)
class Stores:
    """The parts of all services on one Redis."""

    server: RedisServer
    link: Link
    limits: Limits

    @property
    def sessions(self) -> SessionStore:
        return SessionStore(self.link, self.limits)

    @property
    def work(self) -> WorkStore:
        return WorkStore(self.link, self.limits)

    @property
    def saves(self) -> SaveStore:
        return SaveStore(self.link, self.limits)

    @property
    def windows(self) -> WindowStore:
        return WindowStore(self.link, self.limits)

    @property
    def deliveries(self) -> DeliveryStore:
        return DeliveryStore(self.link, self.limits)

    @property
    def letters(self) -> LetterStore:
        return LetterStore(self.link, self.limits)

    @property
    def backlog(self) -> BacklogStore:
        return BacklogStore(self.link, self.limits)

    @property
    def doorbell(self) -> DoorbellStore:
        return DoorbellStore(self.link, self.limits)

    def limited(self, **limits: Any) -> "Stores":
        """Give the same with other limits."""
        return replace(self, limits=replace(self.limits, **limits))

    def keys(self, session_id: str = SID) -> SessionKeys:
        """Give the names of a session."""
        return self.sessions.keys(session_id)

    async def redis(self, command: str, *args: Any) -> Any:
        """Run one command where the shard of its key lives; else where that of SID does."""
        tags = [re.search(r"\{s(\d+)\}", arg) for arg in args if isinstance(arg, str)]
        shard = next((int(tag[1]) for tag in tags if tag), self.keys().shard)
        node = await self.link.atlas.node(shard)
        return await node.data.execute_command(command, *args)  # type: ignore[no-untyped-call]

    async def everywhere(self, command: str, *args: Any) -> Any:
        """Run one command on every Redis; gives the first answer."""
        answers = []
        for node in await self.link.atlas.all_nodes():
            answers.append(await node.data.execute_command(command, *args))  # type: ignore[no-untyped-call]  # noqa: PERF401
        return answers[0]

    async def names(self) -> set[str]:
        """Name every key there is."""
        nodes = await self.link.atlas.all_nodes()
        return {key.decode() for each in nodes async for key in each.data.scan_iter()}

    async def rings(self) -> list[Ring]:
        """Read what rings, of all shards."""
        one_by_one = [await self.doorbell.read([n], block_ms=1) for n in self.doorbell.shards]
        return [ring for rings in one_by_one for ring in rings]

    async def look(self, session_id: str = SID) -> State:
        """Read all of a session."""
        keys = self.keys(session_id)
        return (await look((await self.link.atlas.node(keys.shard)).data, keys)).state

    async def connect(self, session_id: str = SID, *to: Destination) -> int:
        """Create a session with one connection; gives its number."""
        await self.sessions.create(session(session_id, *to), "epoch")
        attached = await self.sessions.attach(session_id)
        assert attached is not None
        return attached.conn

    async def store(self, *sequences: int, conn: int = 1, session_id: str = SID) -> None:
        """Store chunks of 100 samples."""
        await self.sessions.append(session_id, conn, [chunk(n) for n in sequences])

    async def claim(self, session_id: str = SID, count: int = 1) -> Claim:
        """Claim one session, the first of its shard."""
        (claim,) = await self.work.claim(self.keys(session_id), count)
        assert claim.session_id == session_id
        return claim

    async def expire_lease(self, session_id: str = SID) -> None:
        """Let the owner of a session be silent for too long."""
        await self.redis("ZADD", self.keys(session_id).leases, 1, session_id)

    async def leave(self, session_id: str = SID) -> None:
        """Let the client of a session be away for too long."""
        await self.redis("ZADD", self.keys(session_id).sessions, 1, session_id)


@contextmanager
def frozen(server: RedisServer) -> Iterator[None]:
    """Stop a server with SIGSTOP: it takes connections, it answers nothing."""
    pids = server.pids()
    if not pids:
        pytest.skip("only a server of our own can be stopped")
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
