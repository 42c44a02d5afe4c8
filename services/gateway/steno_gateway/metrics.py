"""Names of the gateway's metrics."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

LATENCY_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)

SESSIONS: Final = Gauge("steno_gateway_sessions", "Connections that hold a session now")
LISTENERS: Final = Gauge("steno_gateway_listeners", "Listeners connected now", ["transport"])
CHUNKS: Final = Counter(
    "steno_gateway_chunks_total", "Audio chunks by what became of them", ["result"]
)
APPEND: Final = Histogram(
    "steno_gateway_append_seconds",
    "From a chunk's acceptance to its acknowledgement by Redis",
    buckets=LATENCY_BUCKETS,
)
ERRORS: Final = Counter("steno_gateway_errors_total", "Errors told to clients", ["code"])
REPAIRS: Final = Counter(
    "steno_gateway_doorbell_missed_total", "Events found by the sweep that no doorbell announced"
)
REDIS_USED: Final = Gauge(
    "steno_gateway_redis_memory_ratio", "Memory of the fullest Redis, as a share of its maxmemory"
)
AVAILABLE: Final = Gauge(
    "steno_gateway_memory_available_bytes", "Memory left to this gateway's machine or container"
)
QUEUED: Final = Gauge(
    "steno_gateway_queued_bytes", "Audio of all sessions that waits here for Redis"
)
PRESSURE: Final = Gauge(
    "steno_gateway_memory_pressure",
    "1 while sessions are refused, audio is held, memory is low or exhausted",
    ["state"],
)
