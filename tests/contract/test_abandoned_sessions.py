"""Sessions whose client is gone."""

import pytest
from tests.contract.stores import SID, Stores


async def test_only_a_session_whose_client_is_gone_is_ended_by_others(stores: Stores) -> None:
    await stores.connect()
    await stores.store(1)
    assert await stores.windows.abandoned() == []
    assert not await stores.windows.end_abandoned(SID)
    await stores.leave()
    assert [gone.session_id for gone in await stores.windows.abandoned()] == [SID]
    assert await stores.windows.end_abandoned(SID)
    assert not await stores.windows.end_abandoned(SID)
    assert [entry[:2] for entry in (await stores.look()).audio] == [("1-0", ""), ("1-1", "end")]


@pytest.mark.parametrize("sign", ["attach", "poll"])
async def test_a_client_that_shows_itself_is_not_gone(stores: Stores, sign: str) -> None:
    conn = await stores.connect()
    await stores.leave()
    if sign == "attach":
        await stores.sessions.attach(SID)
    else:
        await stores.sessions.poll([(SID, conn)])
    assert await stores.windows.abandoned() == []


async def test_an_old_connection_does_not_show_that_the_client_is_there(stores: Stores) -> None:
    old = await stores.connect()
    await stores.sessions.attach(SID)
    await stores.leave()
    await stores.sessions.poll([(SID, old)])
    assert len(await stores.windows.abandoned()) == 1


async def test_a_postponed_session_is_not_abandoned_yet(stores: Stores) -> None:
    await stores.connect()
    await stores.leave()
    await stores.windows.postpone(SID)
    assert await stores.windows.abandoned() == []


async def test_the_aggregator_removes_only_what_is_abandoned(stores: Stores) -> None:
    await stores.connect()
    assert not await stores.windows.remove(SID)
    await stores.leave()
    assert await stores.windows.remove(SID)
    assert not await stores.windows.remove(SID)
