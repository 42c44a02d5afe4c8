"""How long to wait before a lost stream is opened anew."""

from typing import Final

FIRST: Final = 0.25
LONGEST: Final = 8.0


def pause(losses: int, chance: float) -> float:
    """Give the seconds to wait after so many losses in a row; `chance` is 0 to 1.

    Doubling, and between half of it and all: those who lost their streams at the same moment do
    not come back at the same one.
    """
    longest = min(LONGEST, FIRST * 2.0 ** (losses - 1))
    return longest * (0.5 + chance / 2)
