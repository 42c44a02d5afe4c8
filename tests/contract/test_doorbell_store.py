"""The notifier's part: doorbells, partials."""

import asyncio
from typing import Any

import pytest
from tests.contract.stores import SID, Stores, span

from steno_common.keys import EVENTS_BOUND
from steno_common.messages import Partial, Warned, encode
from steno_common.store.doorbell import heard

PARTIAL = Partial("so far", (), 0, 100, 0.5, 0.9, sequence_number=1, commit=0)


@pytest.fixture
async def stores(stores: Stores) -> Stores:
    """Stores whose notifiers are prepared, so that nothing is missed."""
    await stores.doorbell.prepare()
    return stores


async def test_preparing_again_loses_nothing(stores: Stores) -> None:
    await stores.connect()
    await stores.doorbell.prepare()
    assert await stores.rings() == [(SID, b"")]


async def test_each_ring_goes_to_one_notifier(stores: Stores) -> None:
    conn = await stores.connect()
    await stores.sessions.transition(SID, conn, "recording", ["connected"])
    assert await stores.rings() == [(SID, b""), (SID, b"")]
    assert await stores.rings() == []


async def test_everything_that_writes_an_event_rings(stores: Stores) -> None:
    conn = await stores.connect()
    await stores.store(1)
    await stores.work.commit(await stores.claim(), span(1, "1-0", 100, events=[Warned("w", "")]))
    await stores.sessions.mark(SID, conn, "end")
    await stores.sessions.remove(SID)
    assert await stores.rings() == [(SID, b"")] * 4


async def test_a_reader_wakes_up_for_a_ring(stores: Stores) -> None:
    reading = asyncio.create_task(stores.doorbell.read([stores.keys().shard], block_ms=30_000))
    async with asyncio.timeout(60):
        while not (await stores.redis("INFO", "clients"))["blocked_clients"]:
            assert not reading.done()
        await stores.connect()
        assert await reading == [(SID, b"")]


async def test_rings_before_the_first_notifier_are_nobodys(stores: Stores) -> None:
    await stores.everywhere("FLUSHALL")
    await stores.connect()
    await stores.doorbell.prepare()
    assert await stores.rings() == []


async def test_a_group_that_is_gone_is_made_again(stores: Stores) -> None:
    await stores.everywhere("FLUSHALL")
    assert await stores.rings() == []
    await stores.connect()
    assert await stores.rings() == [(SID, b"")]


async def test_a_partial_goes_to_the_notifier_with_its_text(stores: Stores) -> None:
    await stores.work.publish(SID, PARTIAL)
    assert await stores.rings() == [(SID, encode(PARTIAL))]


async def test_doorbells_are_bounded(stores: Stores) -> None:
    events = stores.keys().events

    def fill(pipe: Any) -> None:
        for _ in range(500):
            pipe.xadd(events, {"s": "x"})

    for _ in range(EVENTS_BOUND // 500 + 1):
        await stores.link.ask(stores.keys().shard, fill)
    await stores.connect()
    await stores.work.publish(SID, PARTIAL)
    assert await stores.redis("XLEN", events) <= EVENTS_BOUND + 200


async def test_who_subscribed_hears_rings_as_well_as_partials(stores: Stores) -> None:
    async with stores.link.pubsub(stores.keys().shard) as pubsub:
        await pubsub.subscribe(stores.keys().live)
        await pubsub.get_message(timeout=60)
        rings = [(SID, b""), (SID, b"poison"), (SID, encode(PARTIAL)), ("nobody", b"")]
        assert await stores.doorbell.publish(rings) == 3
        got = [ring async for ring in heard(pubsub, seconds=0.1)]
    assert got == [(SID, None), (SID, PARTIAL)]
