"""Audio that no transcriber has taken is seen by those who are always there."""

import pytest
from tests.contract.stores import SID, Stores, span

OTHER = "22222222-2222-4222-8222-222222222222"


async def unclaimed(stores: Stores) -> bool:
    (polled,) = await stores.sessions.poll([(SID, 1)])
    return polled.unclaimed


async def test_a_session_is_unclaimed_while_its_audio_waits_and_nobody_holds_it(
    stores: Stores,
) -> None:
    await stores.connect()
    assert not await unclaimed(stores)
    await stores.store(1, 2)
    assert await unclaimed(stores)
    claim = await stores.claim()
    assert not await unclaimed(stores)
    await stores.expire_lease()
    assert await unclaimed(stores)
    claim = await stores.claim()
    await stores.work.release(claim)
    assert await unclaimed(stores)
    claim = await stores.claim()
    assert await stores.work.commit(claim, span(1, "2-0", 200, silence=200))
    assert not await unclaimed(stores)


async def test_what_waits_of_all_sessions_is_summed_without_any_transcriber(
    stores: Stores,
) -> None:
    assert await stores.windows.unclaimed() == []
    for session_id in (SID, OTHER):
        await stores.connect(session_id)
        await stores.store(1, session_id=session_id)
    seconds, micros = await stores.redis("TIME")
    now_ms = seconds * 1000 + micros // 1000
    await stores.redis("ZADD", stores.keys(SID).waiting, now_ms - 4_000_000, SID)
    await stores.redis("ZADD", stores.keys(OTHER).waiting, now_ms - 7_000_000, OTHER)
    assert sum(await stores.windows.unclaimed()) == pytest.approx(11_000, abs=300)
    await stores.claim()
    assert sum(await stores.windows.unclaimed()) == pytest.approx(7_000, abs=300)
    await stores.redis("ZADD", stores.keys(SID).leases, now_ms - 2_000_000, SID)
    assert sum(await stores.windows.unclaimed()) == pytest.approx(9_000, abs=300)
