"""One address in front of all gateways: each connection goes to one that is ready."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import compress
from typing import Final

import aiohttp
from bench.network.addresses import Target
from bench.network.proxy import HOST, Proxy, proxy

from steno_standalone.ready import is_ready

ASK_SECONDS: Final = 0.2
"""How often each gateway is asked whether it is ready."""

_ANSWER_SECONDS: Final = 1.0


class Edge:
    """A proxy whose servers are those gateways that are ready."""

    def __init__(self, network: Proxy) -> None:
        self._network = network
        self._gateways: dict[str, Target] = {}
        self._ready: set[str] = set()

    @property
    def url(self) -> str:
        """Address for clients."""
        return f"http://{HOST}:{self._network.port}"

    @property
    def reachable(self) -> bool:
        """Whether every gateway is ready."""
        return self._ready == self._gateways.keys()

    def add(self, name: str, port: int) -> None:
        """Forward to another gateway, once it is ready."""
        self._gateways[name] = Target.parse(f"http://{HOST}:{port}")

    def remove(self, name: str) -> None:
        """Forward nothing new to a gateway; what is open stays."""
        self._gateways.pop(name, None)
        self._forward_to(self._ready)

    def drop(self, share: float) -> int:
        """Cut a share of the open connections, at least one of them; gives how many."""
        return self._network.reset(max(1, round(share * len(self._network.connections))))

    async def watch(self) -> None:
        """Ask the gateways whether they are ready, until cancelled."""
        timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            while True:
                asked = dict(self._gateways)
                pages = [f"{gateway.url}/readyz" for gateway in asked.values()]
                ready = await asyncio.gather(*(is_ready(http, page) for page in pages))
                self._forward_to(set(compress(asked, ready)))
                await asyncio.sleep(ASK_SECONDS)

    def _forward_to(self, ready: set[str]) -> None:
        self._ready = ready & self._gateways.keys()
        self._network.targets = [self._gateways[name] for name in sorted(self._ready)]


@asynccontextmanager
async def open_edge() -> AsyncIterator[Edge]:
    """Listen on a port of the edge's own; it has no gateways yet."""
    async with proxy() as network:
        edge = Edge(network)
        watching = asyncio.create_task(edge.watch(), name="edge watch")
        try:
            yield edge
        finally:
            watching.cancel()
            await asyncio.wait([watching])
