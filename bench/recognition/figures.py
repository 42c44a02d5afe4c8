"""Percentiles of measured values."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """How values are spread; all 0 where there are none."""

    count: int = 0
    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value below which `share` (0 to 1) of all lie, between neighbours by proportion.

    Raises ValueError where there are none.
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def spread(values: Sequence[float]) -> Spread:
    """Give count and percentiles."""
    if not values:
        return Spread()
    return Spread(len(values), *(percentile(values, share) for share in (0.5, 0.95, 0.99)))
