"""What the aggregator shows of Redis."""

import asyncio
import math
from collections import Counter

import pytest
from prometheus_client import REGISTRY

from steno_aggregator import metrics, watching
from steno_common.store.limits import Limits
from steno_common.store.link import open_link
from steno_common.store.observer import ObserverStore, RedisState

HALF_FULL = RedisState(256, 512, True, False, 7, 1, 90, 0.5)


def value(name: str, **labels: str) -> float:
    found = REGISTRY.get_sample_value(name, labels)
    assert found is not None
    return found


def test_a_redis_is_shown_with_how_full_it_is() -> None:
    metrics.show_redis(HALF_FULL)
    assert value("steno_redis_used_memory_ratio") == 0.5
    assert value("steno_redis_memory_limit_bytes") == 512
    assert value("steno_redis_aof_enabled") == 1
    assert value("steno_redis_aof_ok") == 0
    assert value("steno_redis_clients") == 7
    assert value("steno_redis_replicas") == 1


def test_a_state_that_no_session_is_in_any_more_goes_back_to_0() -> None:
    metrics.show_sessions(Counter({"recording": 3, "paused": 1}))
    metrics.show_sessions(Counter({"recording": 2}))
    assert value("steno_sessions", state="recording") == 2
    assert value("steno_sessions", state="paused") == 0


async def test_of_a_redis_that_is_away_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics.show_redis(HALF_FULL)
    metrics.show_sessions(Counter({"recording": 2}))
    looked = asyncio.Event()

    async def rest(seconds: float) -> None:
        assert seconds == watching.WATCH_SECONDS
        looked.set()
        await asyncio.Event().wait()

    async with open_link("redis://127.0.0.1:1/0") as link:
        monkeypatch.setattr(watching.asyncio, "sleep", rest)
        task = asyncio.create_task(watching.watch(ObserverStore(link, Limits())), name="watch")
        await asyncio.wait_for(looked.wait(), 60)
        task.cancel()
    assert math.isnan(value("steno_redis_used_memory_ratio"))
    assert math.isnan(value("steno_sessions", state="recording"))
