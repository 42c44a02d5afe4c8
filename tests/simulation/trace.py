"""What happened in a simulation, line by line."""

import asyncio
from collections.abc import Callable
from hashlib import blake2b


class Trace:
    """Takes lines, says their hash; hands them on to whoever wants to read them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, show: Callable[[str], None] | None) -> None:
        self._loop, self._show = loop, show
        self._hash = blake2b(digest_size=16)

    def __call__(self, who: object, *what: object) -> None:
        line = f"{self._loop.time():10.6f} {who}: {' '.join(map(str, what))}"
        self._hash.update(line.encode())
        if self._show is not None:
            self._show(line)

    def digest(self) -> str:
        """Give the hash of all lines so far."""
        return self._hash.hexdigest()
