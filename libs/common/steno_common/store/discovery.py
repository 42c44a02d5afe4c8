"""Asking where the shards are: a fixed list, the Sentinels, or the nodes of a Cluster."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable
from typing import Any, Final, Protocol, TypeVar

from redis.asyncio import Redis
from redis.asyncio.connection import parse_url
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel

from steno_common.store.addresses import Access, Cluster, Host, Place, Service, Several
from steno_common.store.failures import FAILURES, NowhereError
from steno_common.store.node import connection_options
from steno_common.store.topology import Slots, Spread, Topology

ASK_SECONDS: Final = 0.5
"""Whoever is asked where the shards are answers within this time, or is passed over."""

T = TypeVar("T")


class Discovery(Protocol):
    """One way to learn where the shards are."""

    async def find(self) -> Topology:
        """Give the map as it is now; raises an error of redis-py when nobody knows."""

    async def aclose(self) -> None:
        """Close the connections for asking."""


def discovery(place: Place) -> Discovery:
    """Choose the way for a place."""
    if isinstance(place, Several):
        return Fixed(place)
    return AskSentinels(place) if isinstance(place, Service) else AskCluster(place)


async def _answers(asks: Iterable[Awaitable[T]]) -> list[T]:
    """Ask all at once; who fails or is late is left out."""

    async def ask(one: Awaitable[T]) -> T | None:
        try:
            async with asyncio.timeout(ASK_SECONDS):
                return await one
        except FAILURES:
            return None

    return [said for said in await asyncio.gather(*map(ask, asks)) if said is not None]


class Fixed:
    """Shards stay where the settings put them."""

    def __init__(self, place: Several) -> None:
        self._map = Spread(place.urls)

    async def find(self) -> Topology:
        """Give the map, always the same."""
        return self._map

    async def aclose(self) -> None:
        """Nothing is open."""


class AskSentinels:
    """All shards live on the master that most Sentinels name."""

    def __init__(self, place: Service) -> None:
        self._place = place
        options = connection_options(ASK_SECONDS) | dict(place.sentinel_options)
        if place.access.scheme == "rediss":
            options |= _tls_options(place.access)
        # One object each: redis-py asks one after the other, and a dead one would cost the time
        # of all.
        self._sentinels = [
            Sentinel([host], sentinel_kwargs=options)  # type: ignore[no-untyped-call]
            for host in place.sentinels
        ]

    async def find(self) -> Topology:
        """Give the map; raises MasterNotFoundError when no Sentinel names a master."""
        said = await _answers(each.discover_master(self._place.name) for each in self._sentinels)
        if not said:
            raise MasterNotFoundError("no Sentinel names a master")
        ((name, port), _), *_ = Counter(said).most_common(1)
        return Spread((self._place.access.url((name, int(port))),))

    async def aclose(self) -> None:
        """Close the connections to the Sentinels."""
        await asyncio.gather(*(each.aclose() for each in self._sentinels))


def _tls_options(access: Access) -> dict[str, Any]:
    """Give the options of a URL's connections that concern TLS."""
    options: dict[str, Any] = dict(parse_url(access.url(("sentinel", 0))))
    return {"ssl": True} | {key: options[key] for key in options if key.startswith("ssl_")}


class AskCluster:
    """Shards live with the masters of their slots, as the nodes of the newest epoch say."""

    def __init__(self, place: Cluster) -> None:
        self._access = place.access
        self._seeds = place.seeds
        self._clients = {host: self._client(host) for host in place.seeds}

    def _client(self, host: Host) -> Redis:
        return Redis.from_url(self._access.url(host), **connection_options(ASK_SECONDS))

    async def find(self) -> Topology:
        """Give the map; raises NowhereError when no node knows one."""
        said = await _answers(self._ask(host) for host in self._clients)
        if not said:
            raise NowhereError("no node of the Cluster says where the slots are")
        # Whoever is cut off from the others still believes what held before.
        _, ranges, hosts = max(said, key=lambda each: each[0])
        await self._know(hosts)
        return Slots(ranges)

    async def _ask(
        self, host: Host
    ) -> tuple[int, tuple[tuple[int, int, str], ...], frozenset[Host]]:
        async with self._clients[host].pipeline(transaction=False) as pipe:
            pipe.execute_command("CLUSTER INFO")
            pipe.execute_command("CLUSTER SLOTS")
            info, slots = await pipe.execute()
        ranges, hosts = [], set()
        for first, last, *nodes in slots:
            # A node that does not know its own name means the one that it was asked by.
            named = [((name or host[0].encode()).decode(), port) for name, port, *_ in nodes]
            ranges.append((first, last, self._access.url(named[0])))
            hosts.update(named)
        if not ranges:
            raise NowhereError("a node without slots")
        return int(info["cluster_current_epoch"]), tuple(sorted(ranges)), frozenset(hosts)

    async def _know(self, hosts: frozenset[Host]) -> None:
        """Ask these the next time, beside those that the settings name."""
        wanted = {*hosts, *self._seeds}
        for host in self._clients.keys() - wanted:
            await self._clients.pop(host).aclose()
        for host in wanted - self._clients.keys():
            self._clients[host] = self._client(host)

    async def aclose(self) -> None:
        """Close the connections for asking."""
        await asyncio.gather(*(client.aclose() for client in self._clients.values()))
