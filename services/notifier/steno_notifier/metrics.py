"""Metrics of the notifier."""

from typing import Final

from prometheus_client import Counter, Histogram

RINGS: Final = Counter(
    "steno_notifier_rings",
    "Rings read: `bell` for news in the log, `partial` for what it carries.",
    ["kind"],
)

PUBLISHED: Final = Counter(
    "steno_notifier_published", "Rings sent to the channels of sessions, after coalescing."
)

PUBLISHING: Final = Histogram(
    "steno_notifier_publish_seconds",
    "From the reading of a batch of rings until all of it is sent.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2),
)
HEARD: Final = Counter("steno_notifier_heard", "Subscribers that a ring reached, summed up.")
