"""Everything expires, nothing is left behind."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.contract.stores import SID, Stores, chunk, final, session, span

from steno_common.messages import Completed, Ended, Idle, Statistics, Status, Utterance
from steno_common.saved import Saved
from steno_common.store.sessions import Outcome

COMPLETED = Completed("", Statistics(0, 0, 0, 0, 0, 0, 0), ())


async def _immortal(stores: Stores) -> set[str]:
    return {key for key in await stores.names() if await stores.redis("TTL", key) == -1}


def _indexes(stores: Stores) -> set[str]:
    keys = stores.keys()
    return {keys.waiting, keys.leases, keys.fences, keys.tries, keys.due, keys.sessions,
            keys.events}  # fmt: skip


async def _every_step(stores: Stores) -> None:
    """Live a session until it completes; after each step nothing but indexes lives for ever."""
    sessions, work, windows = stores.sessions, stores.work, stores.windows
    await sessions.create(session(), "epoch")
    assert await _immortal(stores) <= _indexes(stores)
    await sessions.attach(SID)
    assert await _immortal(stores) <= _indexes(stores)
    await sessions.append(SID, 1, [chunk(1), chunk(2)])
    await sessions.transition(SID, 1, "recording", ["connected"])
    assert await _immortal(stores) <= _indexes(stores)
    claim = await stores.claim()
    await work.commit(claim, span(1, "1-0", 100, events=[final(0, 100), Idle(100)], closing=True))
    await sessions.mark(SID, 1, "end")
    assert await _immortal(stores) <= _indexes(stores)
    await work.commit(claim, span(2, "2-1", 200, events=[Ended(200)], closing=True))
    window = await windows.window(SID)
    assert window is not None
    await windows.close(SID, window, [Utterance(0, "", 0, 100, 1.0, 3, 3)], 0)
    await windows.defer(SID, 100, 1000)
    assert await _immortal(stores) <= _indexes(stores)


async def test_a_completed_session_leaves_its_log_for_a_while(stores: Stores) -> None:
    await _every_step(stores)
    await stores.windows.complete(SID, COMPLETED)
    keys = stores.keys()
    assert await stores.names() == {keys.meta, keys.log, keys.events}
    assert await _immortal(stores) == {keys.events}


async def test_a_removed_session_leaves_the_doorbell_and_for_a_while_that_it_was_removed(
    stores: Stores,
) -> None:
    await _every_step(stores)
    assert await stores.sessions.remove(SID)
    assert not await stores.sessions.remove(SID)
    keys = stores.keys()
    assert await stores.names() == {keys.events, keys.removed}
    assert await _immortal(stores) == {keys.events}


async def test_a_restored_session_leaves_nothing_more_than_another(stores: Stores) -> None:
    await _every_step(stores)
    saved = (await stores.saves.save(SID, 1, 0)).saved
    assert saved is None  # its end is committed
    await stores.everywhere("FLUSHALL")
    restored = Saved(session(), conn=1, commits=1, consumed="1-0", done=1, event=2)
    log = [Status("connected"), final(0, 100)]
    assert await stores.saves.restore(restored, log, "epoch 2") is Outcome.DONE
    keys = stores.keys()
    assert await stores.names() <= {keys.meta, keys.log} | _indexes(stores)
    assert await _immortal(stores) <= _indexes(stores)
    await stores.windows.complete(SID, COMPLETED)
    assert await stores.names() == {keys.meta, keys.log, keys.events}


async def test_every_touch_prolongs_the_life_of_a_session(stores: Stores) -> None:
    conn = await stores.connect()
    await stores.store(1, 2)
    claim = await stores.claim()
    touches: dict[str, Callable[[], Awaitable[Any]]] = {
        "attach": lambda: stores.sessions.attach(SID),
        "append": lambda: stores.sessions.append(SID, conn + 1, [chunk(3)]),
        "mark": lambda: stores.sessions.mark(SID, conn + 1, "finalize"),
        "poll": lambda: stores.sessions.poll([(SID, conn + 1)]),
        "commit": lambda: stores.work.commit(claim, span(1, "1-0", 100)),
        "postpone": lambda: stores.windows.postpone(SID),
    }
    keys = stores.keys()
    for name, touch in touches.items():
        for key in (keys.meta, keys.audio, keys.log):
            await stores.redis("PEXPIRE", key, 5000)
        await touch()
        for key in (keys.meta, keys.audio, keys.log):
            assert await stores.redis("PTTL", key) > 500_000, name


async def test_a_look_that_changes_nothing_prolongs_nothing(stores: Stores) -> None:
    await stores.connect()
    await stores.store(1)
    await stores.redis("PEXPIRE", stores.keys().meta, 5000)
    await stores.sessions.snapshot(SID)
    await stores.windows.window(SID)
    await stores.work.checkpoint(SID)
    await stores.sessions.append(SID, 7, [chunk(1)])
    assert await stores.redis("PTTL", stores.keys().meta) <= 5000


async def test_an_expired_session_is_removed_from_the_indexes(stores: Stores) -> None:
    await stores.connect()
    await stores.store(1)
    keys = stores.keys()
    await stores.redis("UNLINK", keys.meta, keys.audio, keys.log)
    await stores.leave()
    assert [gone.session_id for gone in await stores.windows.abandoned()] == [SID]
    assert await stores.windows.window(SID) is None
    await stores.windows.remove(SID)
    assert await stores.names() == {keys.events}


async def test_a_session_that_never_connects_counts_as_abandoned_in_time(stores: Stores) -> None:
    await stores.limited(connect_seconds=0).sessions.create(session(), "epoch")
    assert [gone.session_id for gone in await stores.windows.abandoned()] == [SID]
