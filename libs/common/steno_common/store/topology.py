"""Which Redis holds which shard: the map of an installation at one moment."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from redis.crc import key_slot

from steno_common.keys import ShardKeys


class Topology(Protocol):
    """A map; maps that say the same are equal."""

    @property
    def urls(self) -> tuple[str, ...]:
        """Addresses of all that hold shards."""

    @property
    def joint(self) -> bool:
        """Whether one command may touch keys of several shards that live together."""

    def url(self, shard: int) -> str:
        """Address of the Redis that holds a shard."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Shards dealt out to independent Redis, one after the other."""

    urls: tuple[str, ...] = field(repr=False)
    joint: bool = True

    def url(self, shard: int) -> str:
        """Address of the Redis that holds a shard."""
        return self.urls[shard % len(self.urls)]


@dataclass(frozen=True, slots=True)
class Slots:
    """The masters of a Cluster by the slots that they hold."""

    ranges: tuple[tuple[int, int, str], ...] = field(repr=False)
    """First slot, last slot, address; in order."""
    joint: bool = False

    @property
    def urls(self) -> tuple[str, ...]:
        """Addresses of all masters with slots."""
        return tuple(sorted({url for _, _, url in self.ranges}))

    def url(self, shard: int) -> str:
        """Address of the master of a shard's slot; of any, which says so, if it has none."""
        slot = key_slot(ShardKeys(shard).waiting.encode())
        place = bisect_left(self.ranges, slot, key=lambda held: held[1])
        return self.ranges[min(place, len(self.ranges) - 1)][2]


def sites(
    topology: Topology, shards: Iterable[int], *, one_command: bool = False
) -> list[tuple[int, ...]]:
    """Group shards that live together; or, for `one_command`, that it may touch together."""
    by_place: dict[str | int, list[int]] = {}
    for shard in shards:
        place = topology.url(shard) if topology.joint or not one_command else shard
        by_place.setdefault(place, []).append(shard)
    return [tuple(group) for group in by_place.values()]
