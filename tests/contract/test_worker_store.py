"""Transcribers among themselves: what one says, the others hear."""

import asyncio

from tests.contract.stores import Stores

from steno_common.keys import ShardKeys
from steno_common.measured import GpuUse
from steno_common.store.workers import Report, WorkerStore

REGISTRY = ShardKeys(0).workers
CALM = Report(room=3, hard_room=8, strained=False, sessions=7, demand=0.5, lag=0.1)
LATE = Report(room=0, hard_room=0, strained=True, sessions=256, demand=2.0, lag=12.25,
              cpu_percent=101.5, memory_bytes=10**9,
              gpu=GpuUse("H200", 0.5, 1 << 30, 1 << 37))  # fmt: skip


def _workers(stores: Stores) -> WorkerStore:
    return WorkerStore(stores.link, stores.limits)


async def test_each_hears_of_the_others_what_they_said_last(stores: Stores) -> None:
    workers = _workers(stores)
    assert (await workers.beat("one", LATE)).others == {}
    assert (await workers.beat("two", CALM)).others == {"one": LATE}
    assert (await workers.beat("two", LATE)).others == {"one": LATE}
    assert (await workers.beat("one", CALM)).others == {"two": LATE}


async def test_anybody_may_ask_how_one_worker_stands(stores: Stores) -> None:
    workers = _workers(stores)
    assert await workers.report("one") is None
    await workers.beat("one", CALM)
    await workers.beat("two", LATE)
    assert await workers.report("one") == CALM
    assert await workers.report("two") == LATE
    await stores.redis("HSET", REGISTRY, "broken", b"12 \xc1")
    assert await workers.report("broken") is None
    await workers.leave("one")
    assert await workers.report("one") is None


async def test_who_leaves_is_heard_of_no_more(stores: Stores) -> None:
    workers = _workers(stores)
    await workers.beat("one", CALM)
    await workers.leave("one")
    await workers.leave("one")
    assert (await workers.beat("two", CALM)).others == {}


async def test_who_is_silent_is_forgotten(stores: Stores) -> None:
    workers = _workers(stores)
    await workers.beat("one", CALM)
    packed = (await stores.redis("HGET", REGISTRY, "one")).partition(b" ")[2]
    now_ms = (await workers.beat("one", CALM)).now_ms
    await stores.redis("HSET", REGISTRY, "dead", b"%d %s" % (now_ms - 5_001, packed))
    await stores.redis("HSET", REGISTRY, "slow", b"%d %s" % (now_ms - 2_000, packed))
    assert (await workers.beat("one", CALM)).others == {"slow": CALM}
    assert sorted(await stores.redis("HKEYS", REGISTRY)) == [b"one", b"slow"]


async def test_what_nobody_understands_is_passed_over(stores: Stores) -> None:
    workers = _workers(stores)
    now_ms = (await workers.beat("one", CALM)).now_ms
    await stores.redis("HSET", REGISTRY, "newer", b"%d \xc1" % now_ms, "broken", b"?")
    assert (await workers.beat("one", CALM)).others == {}


async def test_the_registry_goes_with_the_last_worker(stores: Stores) -> None:
    await _workers(stores).beat("one", CALM)
    assert 0 < await stores.redis("PTTL", REGISTRY) <= 5_000


async def test_the_time_is_that_of_redis(stores: Stores) -> None:
    workers = _workers(stores)
    first = (await workers.beat("one", CALM)).now_ms
    await asyncio.sleep(0.01)
    seconds, micros = await stores.redis("TIME")
    last = (await workers.beat("one", CALM)).now_ms
    assert first < seconds * 1000 + micros / 1000 <= last + 1


async def test_who_is_no_worker_sees_those_who_spoke_lately(stores: Stores) -> None:
    workers = _workers(stores)
    assert await workers.present() == {}
    now_ms = (await workers.beat("one", CALM)).now_ms
    await workers.beat("two", LATE)
    packed = (await stores.redis("HGET", REGISTRY, "one")).partition(b" ")[2]
    await stores.redis("HSET", REGISTRY, "dead", b"%d %s" % (now_ms - 6_000, packed),
                       "newer", b"%d \xc1" % now_ms, "broken", b"?")  # fmt: skip
    assert await workers.present() == {"one": CALM, "two": LATE}
    assert len(await stores.redis("HKEYS", REGISTRY)) == 5
