"""The transcribers: who is there, who has room."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from steno_common.errors import StoreError
from steno_common.keys import ShardKeys
from steno_common.measured import Report
from steno_common.store.base import Part
from steno_common.store.scripts import Call

__all__ = ["Heard", "Report", "WorkerStore"]

STALE_SECONDS: Final = 5.0
"""A worker that is silent for this long is none."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a worker learns in turn."""

    now_ms: int
    """Time of Redis; of several, of one that answers."""
    others: Mapping[str, Report]


@dataclass(frozen=True, slots=True)
class WorkerStore(Part):
    """Transcribers as they see each other; every call may be repeated."""

    async def _registries(self) -> list[ShardKeys]:
        """Give one shard of each Redis, so that no one of them has to be there."""
        return [ShardKeys(site[0]) for site in await self.link.sites(self.shards)]

    async def beat(self, worker: str, report: Report) -> Heard:
        """Say how a worker stands; to be repeated well within STALE_SECONDS."""
        packed, stale_ms = msgspec.msgpack.encode(report), round(STALE_SECONDS * 1000)
        answers = await self.link.try_all(
            [
                Call("beat", keys.shard, [keys.workers], (worker, packed, stale_ms))
                for keys in await self._registries()
            ]
        )
        heard = [answer for answer in answers if not isinstance(answer, StoreError)]
        others = {}
        for _, *held in heard:
            for name, said in zip(held[::2], held[1::2], strict=True):
                if (other := _read(said)) is not None:
                    others[name.decode()] = other
        return Heard(heard[0][0], others)

    async def report(self, worker: str) -> Report | None:
        """Give what a worker said last; None if it is none any more."""

        def said(pipe: Any, shards: Sequence[int]) -> None:
            pipe.hget(ShardKeys(shards[0]).workers, worker)

        places = [keys.shard for keys in await self._registries()]
        for _, (found,) in await self.link.each(places, said):
            if found is not None and (report := _read(found.partition(b" ")[2])) is not None:
                return report
        return None

    async def present(self) -> Mapping[str, Report]:
        """Give those who have spoken lately, as somebody who is none of them."""

        def read(pipe: Any, shards: Sequence[int]) -> None:
            pipe.time()
            pipe.hgetall(ShardKeys(shards[0]).workers)

        found: dict[str, Report] = {}
        shards = [keys.shard for keys in await self._registries()]
        for _, ((seconds, micros), held) in await self.link.each(shards, read):
            now_ms = seconds * 1000 + micros // 1000
            for name, said in held.items():
                since, _, packed = said.partition(b" ")
                report = _read(packed)
                fresh = since.isdigit() and int(since) + STALE_SECONDS * 1000 > now_ms
                if report is not None and fresh:
                    found[name.decode()] = report
        return found

    async def leave(self, worker: str) -> None:
        """Forget a worker that ends."""

        def forget(pipe: Any, shards: Sequence[int]) -> None:
            pipe.hdel(ShardKeys(shards[0]).workers, worker)

        await self.link.each([keys.shard for keys in await self._registries()], forget)


def _read(packed: bytes) -> Report | None:
    """Read a word of a worker; None if it is of a version that is not known here."""
    try:
        return msgspec.msgpack.decode(packed, type=Report)
    except msgspec.DecodeError:
        return None
