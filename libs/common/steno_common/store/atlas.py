"""The Redis that this process knows: the map of the shards, a node for each address on it."""

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from typing import Final

from steno_common.logs import about
from steno_common.store.discovery import Discovery
from steno_common.store.failures import FAILURES, NowhereError
from steno_common.store.node import Node
from steno_common.store.topology import Topology

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.1
"""The map is looked for no more often than this."""
REFRESH_SECONDS: Final = 2.0
"""A map in use is compared with the present this often: a master that was replaced may go on
answering, until those who replaced it find time to tell it."""


class Atlas:
    """Knows where each shard is; looks anew, in a task of its own, whenever it is told to.

    Meanwhile the map that was known holds: shards that answer do not wait for those that do not.
    """

    def __init__(self, places: Discovery, replicas: int, answer_seconds: float) -> None:
        self._places = places
        self._replicas = replicas
        self._answer_seconds = answer_seconds
        self._topology: Topology | None = None
        self._nodes: dict[str, Node] = {}
        self._looking: asyncio.Task[None] | None = None
        self._looked = float("-inf")
        self._lost = False
        self._moved = asyncio.Event()

    async def topology(self) -> Topology:
        """Give the map; raises NowhereError when it cannot be found."""
        if self._topology is None:
            # Not with the caller, whose time may be over before.
            await asyncio.shield(self._look())
        if self._topology is None:
            raise NowhereError("nobody says where the shards are")
        return self._topology

    async def changed(self, seen: Topology) -> Topology:
        """Wait until the map is another than `seen`."""
        while self._topology is None or self._topology == seen:
            await self._moved.wait()
        return self._topology

    async def node(self, shard: int) -> Node:
        """Give the node that holds a shard; raises NowhereError."""
        return self._at((await self.topology()).url(shard))

    async def nodes(self, shards: Iterable[int]) -> dict[Node, list[int]]:
        """Group shards by the nodes that hold them; raises NowhereError."""
        # Without a step through the loop where the map is known: this is part of every call.
        topology = self._topology or await self.topology()
        if asyncio.get_running_loop().time() >= self._looked + REFRESH_SECONDS:
            self._look()
        groups: dict[Node, list[int]] = {}
        for shard in shards:
            groups.setdefault(self._at(topology.url(shard)), []).append(shard)
        return groups

    async def all_nodes(self) -> list[Node]:
        """Give every node that holds shards."""
        return [self._at(url) for url in (await self.topology()).urls]

    def look_anew(self) -> None:
        """Have the map looked for, soon; for whoever met a failure that may mean another map."""
        now = asyncio.get_running_loop().time()
        if self._topology is not None and now >= self._looked + LOOK_SECONDS:
            self._look()

    def _at(self, url: str) -> Node:
        if url not in self._nodes:
            self._nodes[url] = Node(url, self._replicas, self._answer_seconds)
        return self._nodes[url]

    def _look(self) -> asyncio.Task[None]:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._find(), name="find Redis")
        return self._looking

    async def _find(self) -> None:
        try:
            found = await self._places.find()
        except FAILURES as error:
            if not self._lost:
                log.warning("nobody says where Redis is", extra=about(error=type(error).__name__))
            self._lost = True
            return
        finally:
            self._looked = asyncio.get_running_loop().time()
        self._lost = False
        if found == self._topology:
            return
        if self._topology is not None:
            log.info("shards have moved")
        self._topology = found
        self._moved.set()
        self._moved = asyncio.Event()
        gone = [self._nodes.pop(url) for url in self._nodes.keys() - set(found.urls)]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._answer_seconds):
                await asyncio.gather(*(node.aclose() for node in gone))

    async def aclose(self) -> None:
        """Close everything."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])
        await asyncio.gather(*(node.aclose() for node in self._nodes.values()))
        await self._places.aclose()
