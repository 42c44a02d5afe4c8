"""The most sessions that are served in time: doubled until too many, then halved in between."""

from collections.abc import Awaitable, Callable
from typing import Final

from bench.recognition.figures import spread
from bench.recognition.measure import Measured

FIRST_PARTIAL_SECONDS: Final = 1.0
"""p95 from the end of the first 0.5 s of speech."""
FINAL_SECONDS: Final = 0.5
"""p95 from the segment's last chunk."""


def in_time(measured: Measured) -> bool:
    """Whether a run lost nothing and stayed within the limits."""
    partials = spread(measured.latencies.partial_after_half_second)
    finals = spread(measured.latencies.final_after_segment)
    return (
        not measured.faults
        and partials.p95 <= FIRST_PARTIAL_SECONDS
        and finals.p95 <= FINAL_SECONDS
        and min(partials.count, finals.count) > 0
    )


async def climb(first: int, most: int, serves: Callable[[int], Awaitable[bool]]) -> int:
    """Give the largest number that `serves`, to an eighth; 0 if not even one does.

    `serves` is asked of `first` sessions at the beginning, of no more than `most`.
    """
    good, bad = 0, most + 1
    trial = min(first, most)
    while bad - good > max(1, good // 8):
        if await serves(trial):
            good = trial
        else:
            bad = trial
        trial = min(2 * good, most) if bad > most and good else (good + bad) // 2
    return good
