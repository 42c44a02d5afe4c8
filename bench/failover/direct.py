"""The gateway's own cables: it reaches servers where they listen, not where others find them."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from steno_common.store.discovery import Discovery
from steno_common.store.topology import Slots, Spread, Topology


class Direct:
    """Finds the map as `found` does, with ports put straight."""

    def __init__(self, found: Discovery, straight: Mapping[int, int]) -> None:
        self._found = found
        self._straight = straight

    async def find(self) -> Topology:
        """Give the map."""
        topology = await self._found.find()
        if isinstance(topology, Slots):
            return Slots(tuple((a, b, self._put(url)) for a, b, url in topology.ranges))
        return Spread(tuple(self._put(url) for url in topology.urls))

    def _put(self, url: str) -> str:
        port = urlsplit(url).port
        return url if port is None else url.replace(f":{port}/", f":{self._straight[port]}/")

    async def aclose(self) -> None:
        """Close the connections for asking."""
        await self._found.aclose()
