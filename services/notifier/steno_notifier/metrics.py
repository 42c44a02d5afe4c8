"""Metrics of the notifier."""

from typing import Final

from prometheus_client import Counter

RINGS: Final = Counter("steno_notifier_rings", "Rings read, by what they carry.", ["kind"])
"""`kind` is `bell` or `partial`."""

PUBLISHED: Final = Counter(
    "steno_notifier_published", "Rings sent to the channels of sessions, after coalescing."
)

HEARD: Final = Counter("steno_notifier_heard", "Subscribers that a ring reached, summed up.")
