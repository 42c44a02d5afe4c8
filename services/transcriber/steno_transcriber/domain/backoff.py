"""How long to wait before an engine that failed is tried anew."""

from typing import Final

FIRST: Final = 0.25
LONGEST: Final = 8.0

FIRST_OUTAGE: Final = 5.0
LONGEST_OUTAGE: Final = 60.0


def pause(losses: int, chance: float) -> float:
    """Give the seconds to wait after so many losses in a row; `chance` is 0 to 1.

    Doubling, and between half of it and all: those who lost their streams at the same moment do
    not come back at the same one.
    """
    longest = min(LONGEST, FIRST * 2.0 ** (losses - 1))
    return longest * (0.5 + chance / 2)


def outage(times: int) -> float:
    """Give the seconds to leave alone an engine that was given up so many times in a row."""
    doublings = min(times - 1, 10)  # an outage may last for weeks
    return min(LONGEST_OUTAGE, FIRST_OUTAGE * 2.0**doublings)
