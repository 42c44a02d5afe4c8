"""Metrics that every service has."""

import asyncio
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Final, NoReturn

from prometheus_client import Counter, Gauge, Histogram, Info, disable_created_metrics

from steno_common.errors import StoreError

LATENCY_BUCKETS: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10)
"""Seconds; the edges are those of the promises, so that a promise can be read off a bucket."""

LAG_SECONDS: Final = 0.1
LONGEST_LAG_SECONDS: Final = 10.0

BUILD: Final = Info("steno_build", "Which `service` this is, of which `version`")
READY: Final = Gauge(
    "steno_ready", "1 while a check of readiness holds, as of this scrape, else 0", ["check"]
)
DRAINING: Final = Gauge("steno_draining", "1 once the process has been told to end")
LAG: Final = Histogram(
    "steno_event_loop_lag_seconds",
    "How much later than it should a timer runs that is due ten times a second",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
REDIS_SECONDS: Final = Histogram(
    "steno_redis_round_trip_seconds",
    "Round trips to Redis that succeeded, by script; `command` is any plain command",
    ["script"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2),
)
REDIS_ERRORS: Final = Counter(
    "steno_redis_errors_total",
    "Calls of Redis that failed: `store_unavailable` are repeated, `store_failed` are refusals",
    ["script", "code"],
)
VIOLATIONS: Final = Counter(
    "steno_invariant_violation_total",
    "What must never happen: `accounting` samples are missing at the end of a session,"
    " `audio_passed_over` audio that brought down worker after worker,"
    " `store_lost_audio` Redis has forgotten what it acknowledged",
    ["invariant"],
)


def violations(invariant: str) -> Counter:
    """Give the count of one invariant, which is 0 from the start: a rise can then be seen."""
    return VIOLATIONS.labels(invariant)


def release() -> str:
    """Give the version of Steno that this process runs."""
    try:
        return version("steno-common")
    except PackageNotFoundError:
        return "unknown"


def introduce(service: str) -> None:
    """Say which service this process is; without the time series of when each counter began."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    BUILD.info({"service": service, "version": release()})


def note_readiness(results: Mapping[str, bool]) -> None:
    """Take the results of the checks, among them whether the process accepts work at all."""
    for check, holds in results.items():
        if check == "accepting":
            DRAINING.set(not holds)
        else:
            READY.labels(check).set(holds)


def redis_answered(script: str, seconds: float) -> None:
    """Count one round trip."""
    REDIS_SECONDS.labels(script).observe(seconds)


def redis_failed(script: str, error: StoreError) -> None:
    """Count one round trip without an answer, or a script that was refused."""
    REDIS_ERRORS.labels(script, error.code).inc()


async def watch_loop() -> NoReturn:
    """Measure how late the event loop is, until cancelled.

    Every tick counts, also those that came due while the loop stood still: a stall of a second is
    ten observations, so that quantiles show it.
    """
    clock = asyncio.get_running_loop().time
    due = clock() + LAG_SECONDS
    while True:
        await asyncio.sleep(max(0.0, due - clock()))
        now = clock()
        LAG.observe(max(0.0, now - due))
        due = max(due + LAG_SECONDS, now - LONGEST_LAG_SECONDS)
