"""The gateway's part: sessions, their audio going in, their state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Any, Final, Literal

import msgspec

from steno_common.errors import StoreError
from steno_common.messages import Session, decode, encode
from steno_common.policy import pack
from steno_common.store.base import Part, delivered_to, session_call
from steno_common.units import to_samples


class Outcome(IntEnum):
    """What a script made of a request."""

    DONE = 1
    NOTHING = 0
    """Already so: a duplicate, a repeated request."""
    GAP = -1
    FULL = -2
    ENDED = -3
    SUPERSEDED = -4
    """Another connection holds the session."""
    MISSING = -5
    UNKNOWN = -6
    """The session has no such event."""


class Attached(msgspec.Struct, frozen=True):
    """A session as a connection takes it over."""

    conn: int
    session: Session
    status: str
    epoch: str
    next: int
    done: int
    event: int
    received: int
    """Samples stored since the beginning."""
    backlog: int
    """Samples of these that are not committed."""
    carry: bytes
    """State of the decoder behind the last stored chunk."""
    connections: int
    """Of this session so far, this one included."""
    finished: int = 0
    """Number of the event that ends it, 0 while there is none."""


class Chunk(msgspec.Struct, frozen=True):
    """One chunk on its way to Redis."""

    sequence: int
    pcm: bytes
    carry: bytes = b""


class Appended(msgspec.Struct, frozen=True):
    """What became of one chunk."""

    outcome: Outcome
    next: int
    done: int
    backlog: int


class Polled(msgspec.Struct, frozen=True):
    """The state that a connection tells its client."""

    outcome: Outcome
    event: int
    done: int
    backlog: int
    status: str
    epoch: str
    unclaimed: bool = False
    """Audio waits, and no transcriber holds the session."""


class Snapshot(msgspec.Struct, frozen=True):
    """A session as anybody may see it."""

    session: Session
    status: str
    start_ms: int
    seen_ms: int
    chunks: int
    received: int
    transcribed: int
    silence: int
    event: int
    epoch: str
    finished: int = 0
    """Number of the event that ends it, 0 while there is none; only translations follow it."""
    done: int = 0
    """Highest chunk that is transcribed and committed."""
    connections: int = 0
    final_latency_ms: int = 0
    """Mean, from the arrival of a segment's last chunk to its commit."""
    finals: int = 0
    measured: bytes = b""
    """Encoded, by its transcriber."""
    figures: bytes = b""
    """Encoded, by its gateway."""
    engine: str = ""
    """Of the newest commit."""
    handed: int = 0
    """Number of the last event that a socket of its client took, as far as is known."""


Marker = Literal["finalize", "idle", "end"]

NO_FIGURES: Final[Mapping[tuple[str, int], bytes]] = MappingProxyType({})
NOTHING_HANDED: Final[Mapping[tuple[str, int], int]] = MappingProxyType({})


def _int(value: Any) -> int:
    return int(value or 0)


def _polled(answer: Sequence[Any]) -> Polled:
    code, event, done, backlog, status, epoch, unclaimed = answer
    return Polled(Outcome(code), event, done, backlog, status.decode(), epoch.decode(),
                  bool(unclaimed))  # fmt: skip


@dataclass(frozen=True, slots=True)
class SessionStore(Part):
    """Sessions as the gateway sees them; every call may be repeated."""

    async def create(self, session: Session, epoch: str) -> None:
        """Store a new session."""
        connect_ms = round(self.limits.connect_seconds * 1000)
        await self.link.run(
            session_call("create", self.keys(session.session_id),
                         encode(session), epoch, self.limits.idle_ms, connect_ms,
                         delivered_to(session), self.limits.delivery_keep_ms,
                         pack(session.engines, self.limits.engine_grace_ms))
        )  # fmt: skip

    async def attach(self, session_id: str) -> Attached | None:
        """Take a session over for a new connection; None if there is no such session."""
        answer = await self.link.run(
            session_call("attach", self.keys(session_id), self.limits.idle_ms,
                         self.limits.abandon_ms)
        )  # fmt: skip
        if answer is None:
            return None
        (conn, connections, config, status, epoch, next_, done, event, received, border, carry,
         finished) = answer  # fmt: skip
        session = decode(config)
        assert isinstance(session, Session)
        backlog = _int(received) - _int(border)
        return Attached(_int(conn), session, status.decode(), epoch.decode(), _int(next_),
                        _int(done), _int(event), _int(received), backlog,
                        carry or b"", _int(connections), _int(finished))  # fmt: skip

    async def append(self, session_id: str, conn: int, chunks: Sequence[Chunk]) -> list[Appended]:
        """Store chunks in order, in one round trip; one answer for each."""
        keys, limit = self.keys(session_id), to_samples(self.limits.backlog_seconds)
        answers = await self.link.run_all(
            [
                session_call("append", keys, conn, chunk.sequence, chunk.pcm, chunk.carry,
                             limit, self.limits.idle_ms)
                for chunk in chunks
            ]
        )  # fmt: skip
        return [
            Appended(Outcome(code), next_, done, backlog) for code, next_, done, backlog in answers
        ]

    async def mark(self, session_id: str, conn: int, kind: Marker, *, behind: int | None = None,
                   tail: bytes = b"", status: str = "finalizing") -> Outcome:  # fmt: skip
        """Put a marker behind the last stored chunk; `end` sets the status too.

        `behind`: the number of that chunk, so that a call which Redis runs late has no effect.
        """
        return Outcome(
            await self.link.run(
                session_call("mark", self.keys(session_id), conn, kind, tail, status,
                             self.limits.idle_ms, "" if behind is None else behind)
            )
        )  # fmt: skip

    async def transition(self, session_id: str, conn: int, to: str, allowed: Sequence[str],
                         *, handed: int = 0) -> Outcome:  # fmt: skip
        """Change the state if it is one of those `allowed` now; `handed` as in `poll`."""
        call = session_call("transition", self.keys(session_id), conn, to, handed, *allowed)
        return Outcome(await self.link.run(call))

    async def poll(self, held: Sequence[tuple[str, int]],
                   figures: Mapping[tuple[str, int], bytes] = NO_FIGURES,
                   handed: Mapping[tuple[str, int], int] = NOTHING_HANDED,
                   ) -> list[Polled | None]:  # fmt: skip
        """Say of each (session, connection) that it is there, and learn what is new.

        `figures` are what the gateway measures of some of them, in its own form; `handed` the
        numbers of the last events that their sockets took. None where the Redis of the session is
        away; raises StoreUnavailableError if all are.
        """
        answers = await self.link.try_all(
            [
                session_call("poll", self.keys(session_id), conn, self.limits.idle_ms,
                             self.limits.abandon_ms, figures.get((session_id, conn), b""),
                             handed.get((session_id, conn), 0))
                for session_id, conn in held
            ]
        )  # fmt: skip
        return [None if isinstance(answer, StoreError) else _polled(answer) for answer in answers]

    async def snapshot(self, session_id: str) -> Snapshot | None:
        """Read a session without taking it."""
        keys = self.keys(session_id)
        (held,) = await self.link.ask(keys.shard, lambda pipe: pipe.hgetall(keys.meta))
        if b"config" not in held:
            return None
        session = decode(held[b"config"])
        assert isinstance(session, Session)

        def number(field: bytes) -> int:
            return _int(held.get(field))

        return Snapshot(session, held[b"status"].decode(), session.created_ms, number(b"seen"),
                        number(b"next") - 1, number(b"received"), number(b"transcribed"),
                        number(b"silence"), number(b"event"), held[b"epoch"].decode(),
                        number(b"finished"), number(b"done"), number(b"connections"),
                        number(b"lat_sum") // max(number(b"lat_n"), 1), number(b"finals"),
                        held.get(b"measured", b""), held.get(b"figures", b""),
                        held.get(b"engine", b"").decode(), number(b"handed"))  # fmt: skip

    async def remove(self, session_id: str) -> bool:
        """Remove everything of a session at once, for good; False if there was none."""
        call = session_call("remove", self.keys(session_id), self.limits.idle_ms)
        return bool(await self.link.run(call))
