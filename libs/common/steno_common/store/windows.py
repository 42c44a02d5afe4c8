"""The aggregator's part: windows that are due, sessions that end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from steno_common.keys import ShardKeys
from steno_common.messages import Completed, Numbered, Session, Utterance, decode, encode
from steno_common.store.base import Part, session_call

LOG_PAGE: Final = 500

UNCLAIMED_BOUND: Final = 10_000


class Window(msgspec.Struct, frozen=True):
    """What the aggregator must know of a session beside its log."""

    session: Session
    status: str
    event: int
    """Newest event when this was read."""
    open_from: int
    """Number of the first final of the open utterance, 0 if none is open."""
    utterances: int
    finals: int
    chunks: int
    received: int
    transcribed: int
    silence: int
    mean_latency_ms: int
    heard: int
    """No later final begins before this position."""
    ended: bool
    """The input has ended; commits may still come."""
    finished: bool


@dataclass(frozen=True, slots=True)
class Due:
    """A session whose time has come."""

    session_id: str
    late_ms: int
    """How long ago it came."""


@dataclass(frozen=True, slots=True)
class WindowStore(Part):
    """Sessions as the aggregator sees them; every call may be repeated."""

    async def _until_now(self, index: str, shards: Sequence[int] | None, count: int) -> list[Due]:
        def ranges(pipe: Any, held: Sequence[int]) -> None:
            pipe.time()
            for shard in held:
                pipe.zrange(ShardKeys(shard).name(index), 0, count - 1, withscores=True)

        due = []
        for _, ((seconds, micros), *found) in await self.link.each(shards or self.shards, ranges):
            now_ms = seconds * 1000 + micros // 1000
            due += [Due(sid.decode(), now_ms - int(at)) for each in found for sid, at in each]
        return [session for session in due if session.late_ms >= 0]

    async def due(self, shards: Sequence[int] | None = None, count: int = 50) -> list[Due]:
        """Name sessions of some or all shards that need a look now, up to `count` of each.

        Shards whose Redis is away are passed over; raises StoreUnavailableError if all are.
        """
        return await self._until_now("due", shards, count)

    async def abandoned(self, shards: Sequence[int] | None = None, count: int = 50) -> list[Due]:
        """Name sessions, of the same shards, whose client is gone for too long."""
        return await self._until_now("sessions", shards, count)

    async def unclaimed(self, count: int = UNCLAIMED_BOUND) -> list[float]:
        """Give how long the oldest audio of each session without a transcriber waits (s).

        Of each shard the `count` that wait longest.
        """
        found = [
            await self._until_now(index, self.shards, count)
            for index in ("waiting", "lined", "leases")
        ]
        return [each.late_ms / 1000 for index in found for each in index]

    async def window(self, session_id: str) -> Window | None:
        """Read a session; None if it is gone."""
        keys = self.keys(session_id)
        fields = ("config", "status", "event", "wfrom", "utterances", "finals", "next", "received",
                  "transcribed", "silence", "lat_sum", "lat_n", "heard", "ended",
                  "finished")  # fmt: skip
        (held,) = await self.link.ask(keys.shard, lambda pipe: pipe.hmget(keys.meta, fields))
        if held[0] is None:
            return None
        session = decode(held[0])
        assert isinstance(session, Session)
        event, wfrom, utterances, finals, next_, received, speech, silence, lat, n, heard = (
            int(value or 0) for value in held[2:13]
        )
        return Window(session, held[1].decode(), event, wfrom, utterances, finals,
                      max(next_ - 1, 0), received, speech, silence, lat // max(n, 1), heard,
                      held[13] is not None, held[14] is not None)  # fmt: skip

    async def log(self, session_id: str, after: int, through: int) -> list[Numbered]:
        """Read the log of a session from the event behind `after` through `through`."""
        found: list[Numbered] = []
        while after < through:
            # Numbers have no holes, so a page ends at a known number whatever it holds.
            count = min(LOG_PAGE, through - after)
            found += await self.events(session_id, after, count)
            after += count
        return found

    async def close(self, session_id: str, window: Window, utterances: Sequence[Utterance],
                    open_from: int) -> bool:  # fmt: skip
        """Close utterances of a window; False if the session has changed since it was read.

        The session stays due: only a call without utterances says that nothing is left to do.
        """
        answer = await self.link.run(
            session_call("close", self.keys(session_id), window.open_from or "", open_from or "",
                         window.event, *(encode(utterance) for utterance in utterances))
        )  # fmt: skip
        return bool(answer)

    async def complete(self, session_id: str, completed: Completed) -> bool:
        """End a session; False if it has ended before."""
        keys = self.keys(session_id)
        call = session_call("complete", keys, encode(completed), self.limits.retention_ms)
        return bool(await self.link.run(call))

    async def end_abandoned(self, session_id: str) -> bool:
        """Mark the end of a session that counts as abandoned; False if it no longer does."""
        keys = self.keys(session_id)
        call = session_call("mark", keys, "", "end", b"", "finalizing", self.limits.idle_ms, "")
        return int(await self.link.run(call)) == 1

    async def postpone(self, session_id: str) -> None:
        """Keep a session alive that still waits for a transcriber."""
        keys = self.keys(session_id)
        call = session_call("postpone", keys, self.limits.idle_ms, self.limits.abandon_ms)
        await self.link.run(call)

    async def defer(self, session_id: str, first_ms: int, longest_ms: int) -> int:
        """Put off the next look at a due session, twice as long each time; gives the ms."""
        keys = self.keys(session_id)
        call = session_call("defer", keys, first_ms, longest_ms, self.limits.idle_ms)
        return int(await self.link.run(call))

    async def remove(self, session_id: str) -> bool:
        """Remove a session that counts as abandoned or has expired; False if it is neither."""
        call = session_call("remove", self.keys(session_id), self.limits.idle_ms, "1")
        return bool(await self.link.run(call))
