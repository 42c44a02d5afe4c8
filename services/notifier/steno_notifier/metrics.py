"""Metrics of the notifier."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

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

DELIVERY: Final = Histogram(
    "steno_notifier_delivery_seconds",
    "From the making of an event until its destination has it, by kind of destination.",
    ["kind"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600, 21_600, 86_400),
)
TRIES: Final = Counter(
    "steno_notifier_tries",
    "Tries of deliveries: `delivered`, to be tried `again`, `never`, or the destination is `gone`.",
    ["kind", "outcome"],
)
RETRIES: Final = Counter(
    "steno_notifier_retries", "Tries of these that were not the first of their event.", ["kind"]
)
DEAD: Final = Counter(
    "steno_notifier_dead_letters", "Events given up: they became dead letters.", ["kind"]
)
RESENT: Final = Counter(
    "steno_notifier_resent", "Dead letters sent again, by what became of it.", ["kind", "outcome"]
)
PARTIALS: Final = Counter(
    "steno_notifier_pipeline_partials",
    "Live partials sent to pipelines, by what became of it; none is tried twice.",
    ["outcome"],
)
WAITING: Final = Gauge(
    "steno_notifier_deliveries",
    "Deliveries of all sessions that are `due`, or in flight or put off until `later`.",
    ["state"],
)
OLDEST: Final = Gauge(
    "steno_notifier_overdue_seconds", "How long the oldest due delivery waits for a notifier."
)
LETTERS: Final = Gauge("steno_notifier_letters", "Dead letters that are kept.")
DROPPED: Final = Gauge(
    "steno_notifier_letters_dropped",
    "Dead letters so far that went because newer ones took their room.",
)
