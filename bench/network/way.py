"""How bytes go one way through a proxy."""

import asyncio
import contextlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Way:
    """The state of one direction; the default passes everything at once."""

    delay: float = 0.0
    """Seconds that each byte is under way."""
    rate: float | None = None
    """Bytes a second of each connection; None: no bound."""
    hold: bool = False
    """Nothing arrives until this is over, then everything does: packets lost and sent again."""
    swallow: bool = False
    """Bytes vanish. A connection that has lost some passes none ever again, as when a firewall has
    forgotten it: bytes out of the middle are never missing on TCP."""


OPEN = Way()


class Course:
    """A direction whose state may change at any moment."""

    def __init__(self) -> None:
        self._way = OPEN
        self._changed = asyncio.Event()

    @property
    def way(self) -> Way:
        """The state now."""
        return self._way

    @way.setter
    def way(self, way: Way) -> None:
        self._way = way
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def change(self, seconds: float | None = None) -> None:
        """Wait for the next change, `seconds` at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    async def passable(self, since: float) -> Way:
        """Wait until what set out at `since` (the loop's time) may arrive; gives the state then."""
        clock = asyncio.get_running_loop().time
        while True:
            left = since + self._way.delay - clock()
            if self._way.hold:
                await self.change()
            elif left > 0:
                await self.change(left)
            else:
                return self._way
