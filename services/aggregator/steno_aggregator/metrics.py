"""Metrics of the aggregator."""

from typing import Final

from prometheus_client import Counter, Histogram

UTTERANCES: Final = Counter("steno_aggregator_utterances", "Utterances closed.")

SESSIONS: Final = Counter("steno_aggregator_sessions", "Sessions that came to an end.", ["outcome"])
"""`outcome` is `completed`, `abandoned` (its end was marked) or `removed` (it had no audio)."""

FAILURES: Final = Counter(
    "steno_aggregator_failures", "Steps that failed and are tried again.", ["step"]
)
"""`step` is `look`, `save` or `bury`."""

LATENESS: Final = Histogram(
    "steno_aggregator_close_lateness_seconds",
    "From the moment an utterance could be closed until it was.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 60),
)

SAVING: Final = Histogram(
    "steno_aggregator_save_seconds",
    "Time to compose and save one transcript.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
)
