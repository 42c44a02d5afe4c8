"""Metrics that every service has."""

import asyncio
import time

import pytest
from prometheus_client import REGISTRY, generate_latest

from steno_common import telemetry
from steno_common.errors import StoreError, StoreUnavailableError
from steno_common.telemetry import (
    introduce,
    note_readiness,
    redis_answered,
    redis_failed,
    watch_loop,
)


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def later_than(edge: str) -> float:
    """Count the ticks of the loop that were later than an edge of a bucket."""
    name = "steno_event_loop_lag_seconds"
    return value(f"{name}_count") - value(f"{name}_bucket", le=edge)


async def test_a_loop_that_stands_still_is_late_once_for_every_tick_it_missed() -> None:
    watching = asyncio.create_task(watch_loop(), name="loop lag")
    await asyncio.sleep(0)
    before = later_than("0.1")
    time.sleep(0.55)  # noqa: ASYNC251 - what is measured
    for _ in range(20):
        await asyncio.sleep(0)
    watching.cancel()
    assert later_than("0.1") - before >= 4


async def test_a_process_that_was_stopped_for_long_counts_only_the_last_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telemetry, "LONGEST_LAG_SECONDS", 0.3)
    name = "steno_event_loop_lag_seconds_count"
    watching = asyncio.create_task(watch_loop(), name="loop lag")
    await asyncio.sleep(0)
    before = value(name)
    time.sleep(1.05)  # noqa: ASYNC251 - ten ticks
    for _ in range(50):
        await asyncio.sleep(0)
    watching.cancel()
    assert 3 <= value(name) - before <= 8


def test_a_round_trip_is_timed_by_its_script() -> None:
    name = "steno_redis_round_trip_seconds_count"
    before = value(name, script="append")
    redis_answered("append", 0.01)
    assert value(name, script="append") == before + 1


@pytest.mark.parametrize(
    ("error", "code"),
    [(StoreUnavailableError("away"), "store_unavailable"), (StoreError("no"), "store_failed")],
)
def test_a_failed_call_is_counted_by_its_code(error: StoreError, code: str) -> None:
    def figure() -> float:
        return value("steno_redis_errors_total", script="probe", code=code)

    before = figure()
    redis_failed("probe", error)
    assert figure() == before + 1


def test_readiness_is_shown_check_by_check_and_the_drain_by_itself() -> None:
    note_readiness({"accepting": False, "redis": True})
    assert value("steno_draining") == 1
    assert value("steno_ready", check="redis") == 1
    note_readiness({"accepting": True, "redis": False})
    assert value("steno_draining") == 0
    assert value("steno_ready", check="redis") == 0
    assert REGISTRY.get_sample_value("steno_ready", {"check": "accepting"}) is None


def test_a_process_says_which_service_it_is_and_nothing_of_when_a_counter_began() -> None:
    introduce("probe")
    page = generate_latest().decode()
    assert 'steno_build_info{service="probe",version="' in page
    assert "_created" not in page


def test_an_invariant_is_0_from_the_start_so_that_the_first_violation_is_a_rise() -> None:
    telemetry.violations("probe")
    assert REGISTRY.get_sample_value("steno_invariant_violation_total", {"invariant": "probe"}) == 0
