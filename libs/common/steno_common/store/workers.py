"""The transcribers among themselves: who is there, who has room."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from steno_common.keys import WORKERS_KEY
from steno_common.store.base import Part
from steno_common.store.link import Call

STALE_SECONDS: Final = 5.0
"""A worker that is silent for this long is none."""


class Report(msgspec.Struct, frozen=True):
    """How a worker stands; fields may be added with a default."""

    room: int
    """Sessions that it would take at once."""
    hard_room: int
    """Sessions that it would take if nobody else does: its partials would get rarer."""
    strained: bool
    """It needs more than it has: it gives sessions up to those with room."""
    sessions: int = 0
    demand: float = 0.0
    """Share of its engine that its sessions need."""
    lag: float = 0.0
    """Seconds that the audio of its sessions waits."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a worker learns in turn."""

    now_ms: int
    """Time of Redis."""
    others: Mapping[str, Report]


@dataclass(frozen=True, slots=True)
class WorkerStore(Part):
    """Transcribers as they see each other; every call may be repeated."""

    async def beat(self, worker: str, report: Report) -> Heard:
        """Say how a worker stands; to be repeated well within STALE_SECONDS."""
        packed, stale_ms = msgspec.msgpack.encode(report), round(STALE_SECONDS * 1000)
        now_ms, *held = await self.link.run(Call("beat", [WORKERS_KEY], (worker, packed, stale_ms)))
        others = {}
        for name, said in zip(held[::2], held[1::2], strict=True):
            try:
                others[name.decode()] = msgspec.msgpack.decode(said, type=Report)
            except msgspec.DecodeError:
                continue  # of a version that is not known here
        return Heard(now_ms, others)

    async def leave(self, worker: str) -> None:
        """Forget a worker that ends."""
        await self.link.ask(lambda redis: redis.hdel(WORKERS_KEY, worker))
