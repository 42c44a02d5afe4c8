"""Metrics of the aggregator."""

import math
from collections.abc import Mapping
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from steno_common.store.observer import RedisState
from steno_common.telemetry import violations

UTTERANCES: Final = Counter("steno_aggregator_utterances", "Utterances closed.")

SESSIONS: Final = Counter(
    "steno_aggregator_sessions",
    "Sessions that came to an end: `completed`, `abandoned` (it was marked), `removed` (no audio).",
    ["outcome"],
)

FAILURES: Final = Counter(
    "steno_aggregator_failures",
    "Steps that failed and are tried again: `look`, `save`, `bury`.",
    ["step"],
)
for _step in ("look", "save", "bury"):
    FAILURES.labels(_step)

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

UNBALANCED: Final = violations("accounting")

STATES: Final = (
    "connecting", "connected", "recording", "paused", "reconnecting", "finalizing", "error",
)  # fmt: skip

LIVE: Final = Gauge(
    "steno_sessions",
    "Live sessions of the installation; all aggregators say the same.",
    ["state"],
)
MEMORY: Final = Gauge("steno_redis_used_memory_bytes", "Memory that Redis uses, of several in sum.")
MEMORY_LIMIT: Final = Gauge(
    "steno_redis_memory_limit_bytes", "Memory that Redis may use: maxmemory, else its machine's."
)
MEMORY_RATIO: Final = Gauge(
    "steno_redis_used_memory_ratio",
    "Share of the memory it may use that Redis does use, of several the fullest.",
)
LOG_ON: Final = Gauge("steno_redis_aof_enabled", "1 if Redis keeps an append-only file, else 0.")
LOG_OK: Final = Gauge(
    "steno_redis_aof_ok", "1 unless the last write to the append-only file failed, else 0."
)
CLIENTS: Final = Gauge("steno_redis_clients", "Connections to Redis.")
REPLICAS: Final = Gauge(
    "steno_redis_replicas", "Replicas that follow Redis, of several the one with fewest."
)
UPTIME: Final = Gauge(
    "steno_redis_uptime_seconds", "Time since Redis was started, of several the last."
)


def show_redis(state: RedisState) -> None:
    """Show what Redis says of itself."""
    MEMORY.set(state.used_bytes)
    MEMORY_LIMIT.set(state.limit_bytes)
    MEMORY_RATIO.set(state.used_ratio)
    LOG_ON.set(state.log_enabled)
    LOG_OK.set(state.log_ok)
    CLIENTS.set(state.clients)
    REPLICAS.set(state.replicas)
    UPTIME.set(state.uptime_seconds)


def show_sessions(counts: Mapping[str, int]) -> None:
    """Show how many live sessions there are in each state."""
    for state in {*STATES, *counts}:
        LIVE.labels(state).set(counts.get(state, 0))


def show_nothing() -> None:
    """Show that nothing is known: an old figure would look like news."""
    for gauge in (MEMORY, MEMORY_LIMIT, MEMORY_RATIO, LOG_ON, LOG_OK, CLIENTS, REPLICAS, UPTIME):
        gauge.set(math.nan)
    for state in STATES:
        LIVE.labels(state).set(math.nan)
