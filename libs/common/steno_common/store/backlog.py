"""How much is to be delivered, in all shards together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from steno_common.keys import ShardKeys
from steno_common.store.base import Part
from steno_common.store.scripts import Call

DUE_BOUND: Final = 1000
"""Of a shard: that more are due is not counted."""
EXPIRE_AT_A_TIME: Final = 1000
"""Letters of a shard."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is to be delivered."""

    due: int
    """Deliveries whose time has come, and that no notifier has taken."""
    later: int
    """Those in flight, or put off until their next try."""
    oldest_seconds: float
    """How long ago the time of the first of the due ones came."""
    letters: int
    """Dead letters."""
    dropped: int
    """Dead letters so far that went because newer ones took their room."""


@dataclass(frozen=True, slots=True)
class BacklogStore(Part):
    """Counts of deliveries; shards whose Redis is away count nothing."""

    async def backlog(self) -> Backlog:
        """Count; raises StoreUnavailableError if every Redis is away."""

        def read(pipe: Any, shards: Sequence[int]) -> None:
            pipe.time()
            for keys in map(ShardKeys, shards):
                pipe.zrange(keys.outgoing, 0, DUE_BOUND - 1, withscores=True)
                pipe.zcard(keys.outgoing)
                pipe.xlen(keys.letters)
                pipe.hget(keys.letters_size, "dropped")

        due = known = letters = dropped = 0
        oldest = 0.0
        for _, ((seconds, micros), *told) in await self.link.each(self.shards, read):
            now_ms = seconds * 1000 + micros // 1000
            waits = [now_ms - at for places in told[::4] for _, at in places if at <= now_ms]
            due += len(waits)
            known += sum(told[1::4])
            letters += sum(told[2::4])
            dropped += sum(int(count or 0) for count in told[3::4])
            oldest = max([oldest, *(wait / 1000 for wait in waits)])
        return Backlog(due, known - due, oldest, letters, dropped)

    async def expire_letters(self, seconds: float) -> None:
        """Let go of letters older than this, some at a time."""
        kept_ms = round(seconds * 1000)
        await self.link.try_all(
            [
                Call(
                    "expire",
                    keys.shard,
                    [keys.letters, keys.letters_size],
                    [kept_ms, EXPIRE_AT_A_TIME],
                )
                for keys in map(ShardKeys, self.shards)
            ]
        )
