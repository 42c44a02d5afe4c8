"""What is read of Redis only to be shown."""

import pytest
from tests.contract.stores import SID, Stores

from steno_common.store.observer import ObserverStore, RedisState

OTHER = "22222222-2222-4222-8222-222222222222"


def observer(stores: Stores) -> ObserverStore:
    return ObserverStore(stores.link, stores.limits)


async def test_live_sessions_are_counted_by_state(stores: Stores) -> None:
    assert await observer(stores).states() == {}
    await stores.connect()
    await stores.connect(OTHER)
    assert await observer(stores).states() == {"connected": 2}
    await stores.sessions.transition(SID, 1, "recording", ["connected"])
    assert await observer(stores).states() == {"connected": 1, "recording": 1}
    await stores.sessions.remove(OTHER)
    assert await observer(stores).states() == {"recording": 1}


async def test_more_sessions_than_fit_into_one_question_are_all_counted(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steno_common.store.observer.PAGE", 2)
    for number in range(7):
        await stores.connect(f"0000000{number}-0000-4000-8000-000000000000")
    assert await observer(stores).states() == {"connected": 7}


async def test_a_redis_says_how_full_it_is_and_whether_its_log_is_written(single: Stores) -> None:
    await single.redis("CONFIG", "SET", "maxmemory", "400mb")
    try:
        state = await observer(single).redis()
    finally:
        await single.redis("CONFIG", "SET", "maxmemory", "0")
    assert state.limit_bytes == 400 << 20
    assert 100_000 < state.used_bytes < state.limit_bytes
    assert state.log_ok
    assert state.clients >= 1
    assert state.replicas == 0


async def test_without_a_limit_the_memory_of_the_machine_counts(stores: Stores) -> None:
    assert (await observer(stores).redis()).limit_bytes > 1 << 30


def test_a_log_that_cannot_be_written_is_seen_and_what_is_missing_counts_as_well() -> None:
    broken = RedisState.read({"aof_enabled": 1, "aof_last_write_status": "err"})
    assert (broken.log_enabled, broken.log_ok) == (True, False)
    silent = RedisState.read({})
    assert (silent.log_enabled, silent.log_ok, silent.limit_bytes) == (False, True, 0)


def test_several_redis_are_told_as_one_by_the_worst_of_them() -> None:
    full = RedisState(90, 100, True, False, 3, 1, 10, 0.9)
    empty = RedisState(10, 100, True, True, 4, 2, 500, 0.1)
    assert RedisState.together([full, empty]) == RedisState(100, 200, True, False, 7, 1, 10, 0.9)
