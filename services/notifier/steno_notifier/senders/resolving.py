"""Names of hosts looked up in threads of their own."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult

THREADS: Final = 64
"""Started as they are needed: names whose servers hang keep one each until they are given up."""


class OwnThreads(AbstractResolver):
    """Looks up hosts that sessions name, so that one whose servers hang holds up no other name."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, "names of hosts")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Give the addresses of a host; raises OSError if there are none."""
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads,
            partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM,
                    flags=socket.AI_ADDRCONFIG),
        )  # fmt: skip
        return [
            ResolveResult(hostname=host, host=str(address[0]), port=port, family=kind,
                          proto=protocol, flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV)
            for kind, _, protocol, _, address in found
        ]  # fmt: skip

    async def close(self) -> None:
        """Wait for nobody."""
        self._threads.shutdown(wait=False, cancel_futures=True)
