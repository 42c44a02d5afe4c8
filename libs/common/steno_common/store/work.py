"""The transcriber's part: claiming sessions, reading their audio, committing results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Literal

import msgspec

from steno_common import messages
from steno_common.errors import StoreError
from steno_common.keys import EVENTS_BOUND, ShardKeys
from steno_common.messages import Event, Partial, Session, decode, encode
from steno_common.policy import Choice, unpack
from steno_common.store.base import Part, session_call, shard_call
from steno_common.store.scripts import Call
from steno_common.units import to_samples

WAITING_BOUND: Final = 100
"""Sessions of one shard that are named at once, the first to be claimed first."""

EXPIRED_BOUND: Final = 10
"""The same of those whose lease ran out."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A session that this worker owns until the lease runs out."""

    session_id: str
    token: int
    tries: int
    """Claims since the last commit; many mean that the audio itself brings workers down."""


class Checkpoint(msgspec.Struct, frozen=True):
    """Where a session's recognition goes on."""

    session: Session
    commits: int
    consumed: str
    """Id of the last audio entry that is wholly committed."""
    done: int
    offset: int
    """Position of the first sample of the entry behind `consumed`."""
    border: int
    """Position committed through; not before `offset`."""
    context: str
    measured: bytes = b""
    """Encoded: what has been measured of it so far."""
    engine: str = ""
    """Engine of the newest commit."""
    choices: tuple[Choice, ...] = ()
    """Engines that may recognise it, the first choice first; empty: any."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One chunk or marker of a session's audio."""

    entry_id: str
    sequence: int
    pcm: bytes
    marker: Literal["", "finalize", "idle", "end"]
    arrival_ms: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Sessions of one shard that can be claimed."""

    shard: ShardKeys
    waits: Mapping[str, float]
    """Seconds that the oldest audio of each waits; or since its owner's lease ran out."""
    lined: int = 0
    """How many of them wait in the line of the worker's engine."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One finished span, in the form the script takes."""

    number: int
    consumed: str
    done: int
    offset: int
    border: int
    context: str
    heard: int
    """All before it is heard: no later final begins before this position."""
    speech: int
    silence: int
    events: Sequence[Event] = ()
    """A Final, if there is one, comes first."""
    closing: bool = False
    arrival_ms: int = 0
    measured: bytes = b""
    """Encoded: what is measured of the session by now; empty: as it was."""
    engine: str = ""


class Committed(Enum):
    """What became of a commit; true while the session is still this worker's."""

    OK = "ok"
    REPEATED = "repeated"
    """It was there already: the answer to an earlier try was lost."""
    FENCED = "fenced"

    def __bool__(self) -> bool:
        return self is not Committed.FENCED


_COMMITTED: Final = {1: Committed.OK, 0: Committed.REPEATED, -1: Committed.FENCED}


def _following(entry_id: str) -> str:
    sequence, _, n = entry_id.partition("-")
    return f"{sequence}-{int(n) + 1}"


def _entry(entry_id: bytes, fields: Mapping[bytes, bytes]) -> Entry:
    name = entry_id.decode()
    marker: Any = fields.get(b"c", b"").decode()
    return Entry(name, int(name.partition("-")[0]), fields[b"d"], marker, int(fields[b"t"]))


@dataclass(frozen=True, slots=True)
class WorkStore(Part):
    """Sessions as a transcriber sees them; every call may be repeated."""

    async def claim(self, shard: ShardKeys, count: int, engine: str = "") -> list[Claim]:
        """Take up to `count` sessions of a shard that this engine may take now."""
        names = (shard.waiting, shard.leases, shard.fences, shard.tries, shard.policies,
                 shard.lined, shard.line(engine))  # fmt: skip
        call = Call("claim", shard.shard, names, (self.limits.lease_ms, count))
        answer = await self.link.run(call)
        triples = zip(answer[::3], answer[1::3], answer[2::3], strict=True)
        return [Claim(sid.decode(), int(token), int(tries)) for sid, token, tries in triples]

    async def waiting(self, engine: str = "") -> list[Waiting]:
        """Name the shards in which sessions wait or leases have run out, with these sessions.

        Of sessions that wait for certain engines, those that this one may take now.

        Shards whose Redis is away are passed over; raises StoreUnavailableError if all are.
        """

        def indexes(pipe: Any, shards: Sequence[int]) -> None:
            pipe.time()
            for keys in map(ShardKeys, shards):
                pipe.zrange(keys.leases, 0, EXPIRED_BOUND - 1, withscores=True)
                pipe.zrange(keys.waiting, 0, WAITING_BOUND - 1, withscores=True)
                pipe.zrange(keys.line(engine), 0, WAITING_BOUND - 1, withscores=True)

        found = []
        for shards, ((seconds, micros), *rest) in await self.link.each(self.shards, indexes):
            now_ms = seconds * 1000 + micros / 1000
            for place, shard in enumerate(shards):
                leases, waiting, line = rest[3 * place : 3 * place + 3]
                expired, lined = (
                    [entry for entry in index if entry[1] <= now_ms] for index in (leases, line)
                )
                waits = {
                    sid.decode(): max(0.0, (now_ms - since) / 1000)
                    for sid, since in (*expired, *lined, *waiting)
                }
                if waits:
                    found.append(Waiting(ShardKeys(shard), waits, len(lined)))
        return found

    async def renew(self, claims: Sequence[Claim]) -> set[str]:
        """Prolong leases; gives the ids of the sessions that belong to others now.

        Leases whose Redis is away are not prolonged; raises StoreUnavailableError if all are.
        """
        by_shard: dict[ShardKeys, list[str | int]] = {}
        for claim in claims:
            shard = ShardKeys(self.keys(claim.session_id).shard)
            by_shard.setdefault(shard, []).extend((claim.session_id, claim.token))
        answers = await self.link.try_all(
            [shard_call("renew", s, self.limits.lease_ms, *args) for s, args in by_shard.items()]
        )
        known = [lost for lost in answers if not isinstance(lost, StoreError)]
        return {sid.decode() for lost in known for sid in lost}

    async def release(self, claim: Claim, resting: str = "", rest_seconds: float = 0.0) -> None:
        """Give a session back at once; an engine that failed for it rests from it for so long."""
        keys, rest_ms = self.keys(claim.session_id), round(rest_seconds * 1000)
        await self.link.run(session_call("release", keys, claim.token, resting, rest_ms))

    async def checkpoint(self, session_id: str) -> Checkpoint | None:
        """Read where to go on; None if the session is gone."""
        keys = self.keys(session_id)
        fields = ("config", "commits", "consumed", "done", "offset", "border", "context",
                  "measured", "engine")  # fmt: skip

        def fill(pipe: Any) -> None:
            pipe.hmget(keys.meta, fields)
            pipe.hget(keys.policies, session_id)

        held, policy = await self.link.ask(keys.shard, fill)
        if held[0] is None:
            return None
        session = decode(held[0])
        assert isinstance(session, Session)
        consumed = (held[2] or b"0-0").decode()
        commits, done, offset, border = (int(held[i] or 0) for i in (1, 3, 4, 5))
        context, engine, choices = ((each or b"").decode() for each in (held[6], held[8], policy))
        return Checkpoint(session, commits, consumed, done, offset, border, context,
                          held[7] or b"", engine, unpack(choices))  # fmt: skip

    async def read(self, positions: Mapping[str, str], count: int) -> dict[str, list[Entry]]:
        """Read up to `count` entries behind the given id of each session, in one round trip.

        One XREAD a shard: what it costs hangs on the sessions with news, not on all of them.
        Sessions whose Redis is away have none; raises StoreUnavailableError if all are.
        """
        by_shard: dict[int, dict[str, str]] = {}
        for session_id, after in positions.items():
            keys = self.keys(session_id)
            by_shard.setdefault(keys.shard, {})[keys.audio] = after

        def news(pipe: Any, shards: Sequence[int]) -> None:
            for shard in shards:
                pipe.xread(by_shard[shard], count=count)

        found = await self.link.each(by_shard, news)
        by_stream = {
            stream.decode(): entries
            for _, answers in found
            for streams in answers
            for stream, entries in streams or ()
        }
        return {
            session_id: [_entry(*entry) for entry in entries]
            for session_id in positions
            if (entries := by_stream.get(self.keys(session_id).audio))
        }

    async def commit(self, claim: Claim, commit: Commit) -> Committed:
        """Finish a span; false if the session is another worker's now, or not as it was."""
        final = commit.events[0] if commit.events else None
        bounds = (final.start, final.end) if isinstance(final, messages.Final) else (0, -1)
        answer = await self.link.run(
            session_call(
                "commit", self.keys(claim.session_id), claim.token, commit.number,
                commit.consumed, _following(commit.consumed), commit.done, commit.offset,
                commit.border, commit.context, commit.heard, commit.speech, commit.silence,
                to_samples(self.limits.silence_seconds), int(commit.closing),
                self.limits.lease_ms, self.limits.idle_ms, commit.arrival_ms, *bounds,
                commit.measured, commit.engine, *(encode(event) for event in commit.events),
            )
        )  # fmt: skip
        return _COMMITTED[int(answer[0])]

    async def publish(self, session_id: str, partial: Partial) -> None:
        """Send a partial on its way; it may be lost, a newer one follows."""
        keys = self.keys(session_id)
        fields: dict[Any, Any] = {"s": session_id, "p": encode(partial)}
        await self.link.ask(
            keys.shard,
            lambda pipe: pipe.xadd(keys.events, fields, maxlen=EVENTS_BOUND, approximate=True),
        )
