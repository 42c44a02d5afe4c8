"""How Redis stands, with the sessions in it: what is read only to be shown."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from steno_common.keys import ShardKeys
from steno_common.store.base import Part

PAGE: Final = 500
"""Sessions asked for in one round trip."""


@dataclass(frozen=True, slots=True)
class RedisState:
    """What a Redis says of itself."""

    used_bytes: int
    limit_bytes: int
    """What it may use: `maxmemory`, or all memory of its machine."""
    log_enabled: bool
    log_ok: bool
    """The last write to the append-only file succeeded."""
    clients: int
    replicas: int
    uptime_seconds: int
    used_ratio: float
    """Share of what it may use; NaN if it does not tell."""

    @classmethod
    def read(cls, info: Mapping[str, Any]) -> "RedisState":
        """Read the answer to INFO; what an old or a managed Redis leaves out counts as well."""
        used = int(info.get("used_memory", 0))
        limit = int(info.get("maxmemory", 0)) or int(info.get("total_system_memory", 0))
        return cls(
            used_bytes=used,
            limit_bytes=limit,
            log_enabled=bool(int(info.get("aof_enabled", 0))),
            log_ok=info.get("aof_last_write_status", "ok") == "ok",
            clients=int(info.get("connected_clients", 0)),
            replicas=int(info.get("connected_slaves", 0)),
            uptime_seconds=int(info.get("uptime_in_seconds", 0)),
            used_ratio=used / limit if limit else math.nan,
        )

    @classmethod
    def together(cls, states: Sequence["RedisState"]) -> "RedisState":
        """Give several Redis as one: amounts in sum, of the rest what the worst of them says."""
        return cls(
            used_bytes=sum(each.used_bytes for each in states),
            limit_bytes=sum(each.limit_bytes for each in states),
            log_enabled=all(each.log_enabled for each in states),
            log_ok=all(each.log_ok for each in states),
            clients=sum(each.clients for each in states),
            replicas=min(each.replicas for each in states),
            uptime_seconds=min(each.uptime_seconds for each in states),
            used_ratio=max(each.used_ratio for each in states),
        )


@dataclass(frozen=True, slots=True)
class ObserverStore(Part):
    """Reads that change nothing; what they give may be a moment old."""

    async def redis(self) -> RedisState:
        """Ask every Redis how it stands; those that are away are left out, but for all of them."""
        told = await self.link.everywhere(lambda pipe: pipe.info())
        return RedisState.together([RedisState.read(info) for (info,) in told])

    async def states(self) -> Counter[str]:
        """Count the live sessions by state."""
        found: Counter[str] = Counter()
        for shard in self.space.all_shards():
            held = await self._sessions(shard)
            for place in range(0, len(held), PAGE):
                found.update(await self._statuses(shard.shard, held[place : place + PAGE]))
        return found

    async def _sessions(self, shard: ShardKeys) -> list[str]:
        (held,) = await self.link.ask(shard.shard, lambda pipe: pipe.zrange(shard.sessions, 0, -1))
        return [session_id.decode() for session_id in held]

    async def _statuses(self, shard: int, session_ids: list[str]) -> list[str]:
        def fill(pipe: Any) -> None:
            for session_id in session_ids:
                pipe.hget(self.keys(session_id).meta, "status")

        return [status.decode() for status in await self.link.ask(shard, fill) if status]
