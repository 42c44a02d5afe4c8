"""Names of the gateway's metrics."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from steno_common.store.sessions import Outcome
from steno_common.telemetry import LATENCY_BUCKETS, violations

_QUICK: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)

SESSIONS: Final = Gauge("steno_gateway_sessions", "Connections that hold a session now")
SESSIONS_LIMIT: Final = Gauge(
    "steno_gateway_sessions_limit", "Connections with a session that this gateway takes"
)
LISTENERS: Final = Gauge("steno_gateway_listeners", "Listeners connected now", ["transport"])
REQUESTS: Final = Counter(
    "steno_gateway_requests_total",
    "Requests answered, by route, by class of status; a socket counts as `1xx` once it is closed",
    ["method", "route", "status"],
)
REQUEST: Final = Histogram(
    "steno_gateway_request_seconds",
    "Time of a request that has one answer: no sockets, no streams",
    ["route"],
    buckets=LATENCY_BUCKETS,
)
CHUNKS: Final = Counter(
    "steno_gateway_chunks_total",
    "Audio chunks received, by what became of them: `stored`, `duplicate`, `full` (tried again),"
    " or `ended`, `superseded`, `missing`, `gap`, after which the connection ends",
    ["result"],
)
APPEND: Final = Histogram(
    "steno_gateway_append_seconds",
    "From a chunk's acceptance to its acknowledgement by Redis",
    buckets=_QUICK,
)
QUEUED: Final = Gauge(
    "steno_gateway_queued_bytes", "Audio accepted and not yet in Redis, of all connections"
)
DELIVERY: Final = Histogram(
    "steno_gateway_delivery_seconds",
    "From the making of a result (`partial`, `final`) in the transcriber until its client has it,"
    " by the clocks of both machines; results of before the connection are left out",
    ["kind"],
    buckets=LATENCY_BUCKETS,
)
ERRORS: Final = Counter(
    "steno_gateway_errors_total",
    "Errors told to clients, by the codes of the protocol; most are faults of the client",
    ["code"],
)
TRANSLATIONS: Final = Counter(
    "steno_gateway_translations_total",
    "Translations that came back, by what became of them: `stored`, or `repeated`",
    ["result"],
)
for _result in ("stored", "repeated"):
    TRANSLATIONS.labels(_result)  # seen from the start, so that the first one counts as a rise
RESTORED: Final = Counter(
    "steno_gateway_sessions_restored_total", "Sessions that Redis had lost and a client restored"
)
REPAIRS: Final = Counter(
    "steno_gateway_doorbell_missed_total", "Events found by the sweep that no doorbell announced"
)
AVAILABLE: Final = Gauge(
    "steno_gateway_memory_available_bytes", "Memory left to this gateway's machine or container"
)
PRESSURE: Final = Gauge(
    "steno_gateway_memory_pressure",
    "1 while sessions are refused, audio is held, memory is low or exhausted",
    ["state"],
)
LOST_AUDIO: Final = violations("store_lost_audio")

_RESULTS: Final = {
    outcome: CHUNKS.labels(name)
    for outcome, name in {
        Outcome.DONE: "stored",
        Outcome.NOTHING: "duplicate",
        Outcome.GAP: "gap",
        Outcome.FULL: "full",
        Outcome.ENDED: "ended",
        Outcome.SUPERSEDED: "superseded",
        Outcome.MISSING: "missing",
    }.items()
}
_PARTIAL: Final = DELIVERY.labels("partial")
_FINAL: Final = DELIVERY.labels("final")
# What alerts look for is there from the start, so that the first one can be seen as a rise.
for _code in ("internal", "store_unavailable", "too_many_sessions", "overloaded"):
    ERRORS.labels(_code)


def count_chunk(outcome: Outcome) -> None:
    """Count one chunk that the store has answered for."""
    _RESULTS[outcome].inc()


def delivered(created_ms: int, now_ms: float, *, final: bool) -> None:
    """Count a result that a client has now, if it says when it was made."""
    if created_ms:
        (_FINAL if final else _PARTIAL).observe(max(0.0, (now_ms - created_ms) / 1000))
