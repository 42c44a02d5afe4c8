"""How little memory may be left before a gateway takes less."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

RELIEF: Final = 0.05
"""Of Redis's memory: so far below a mark it must fall before the mark counts as left."""

SPARE: Final = 0.8
"""The same of a need for memory, as a share of it."""

EXHAUSTED: Final = 4.0
"""So many times as much as is left should be free: there is nothing to save for any more."""

SHARE: Final = 4
"""In a container, one part in so many of its limit should be free, if that is less."""


@dataclass(slots=True)
class Mark:
    """A bound that is passed at `high`, and left only below `low`: nothing flaps around it."""

    high: float
    low: float
    passed: bool = False

    def take(self, value: float) -> bool:
        """Take the newest value; say whether the bound is passed."""
        self.passed = value >= (self.low if self.passed else self.high)
        return self.passed


def watermark(ratio: float) -> Mark:
    """Give the mark of a share of Redis's memory, 0 for one that is never passed."""
    return Mark(ratio, ratio - RELIEF) if ratio > 0 else Mark(math.inf, math.inf)


@dataclass(frozen=True, slots=True)
class Memory:
    """What a process may still use, in bytes."""

    available: int
    limit: int
    """All there is: of the machine, or of the container."""


@dataclass(slots=True)
class Pressure:
    """What a gateway does not do at present, for want of memory."""

    refuse_ratio: float = 0.0
    """Of Redis's memory in use, from which on no session begins; 0: any."""
    hold_ratio: float = 0.0
    """Of Redis's memory in use, from which on no audio is stored; 0: any."""
    low_bytes: int = 0
    """Memory of this machine that should be free; 0: any."""
    _crowded: Mark = field(init=False)
    _full: Mark = field(init=False)
    _low: Mark = field(init=False)
    _exhausted: Mark = field(init=False)

    def __post_init__(self) -> None:
        self._crowded = watermark(self.refuse_ratio)
        self._full = watermark(self.hold_ratio)
        self._low = Mark(1.0, SPARE)
        self._exhausted = Mark(EXHAUSTED, EXHAUSTED * SPARE)

    def store(self, ratios: Sequence[float]) -> None:
        """Take how full each Redis is; one that has no bound is not among them."""
        fullest = max(ratios, default=0.0)
        self._crowded.take(fullest)
        self._full.take(fullest)

    def machine(self, memory: Memory) -> None:
        """Take what is left here."""
        wanted = min(self.low_bytes, memory.limit // SHARE)
        need = wanted / max(memory.available, 1)
        self._low.take(need)
        self._exhausted.take(need)

    @property
    def refusing(self) -> bool:
        """Whether no session begins."""
        return self._crowded.passed or self._full.passed or self._low.passed

    @property
    def holding(self) -> bool:
        """Whether no audio is stored."""
        return self._full.passed

    @property
    def low(self) -> bool:
        """Whether clients are warned."""
        return self._low.passed

    @property
    def exhausted(self) -> bool:
        """Whether sessions end with what they have."""
        return self._exhausted.passed
