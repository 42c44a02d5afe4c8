"""How many windows are best decoded at once: measured, since it depends on model and machine."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

WORTH: Final = 0.9
"""A smaller batch is preferred if it is at least as fast as this share of the best."""

LONGEST_WAIT: Final = 0.25
"""Seconds that a batch of partials should take at most, since a final may have to wait for it."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Batch sizes for one model on one machine."""

    max_batch: int
    max_partials: int
    window_seconds: float
    """Time that a window takes of one place of the engine, in batches of `max_batch`."""


def calibrate(run: Callable[[int], float], largest: int, budget: float) -> Calibration:
    """Try batches of 1, 2, 4, ... up to `largest`, for about `budget` seconds.

    `run` decodes one batch of a size at each place of the engine at once; it gives the seconds.
    """
    seconds: dict[int, float] = {}
    size, spent = 1, 0.0
    while size <= largest:
        took = run(size)
        seconds[size] = took
        spent += took
        # The next one takes about twice as long.
        if spent + 2 * took > budget:
            break
        size *= 2
    fastest = min(took / size for size, took in seconds.items())
    best = next(size for size, took in seconds.items() if took * WORTH <= fastest * size)
    window = seconds[best] / best
    return Calibration(best, max(1, min(best, int(LONGEST_WAIT / window))), window)
