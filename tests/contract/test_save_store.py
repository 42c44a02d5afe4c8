"""Sessions on their way to a client that keeps them, and back after a loss."""

from tests.contract.stores import SID, Stores, final, session, span

from steno_common.messages import Event, Status, Utterance, decode
from steno_common.saved import Saved
from steno_common.store.saves import Save
from steno_common.store.sessions import Outcome


async def _kept(stores: Stores) -> tuple[Saved, list[Event]]:
    """Give what a client keeps of a session with two finals, of which one is closed."""
    conn = await stores.connect()
    await stores.store(1, 2, 3)
    claim = await stores.claim()
    await stores.work.commit(claim, span(1, "1-0", 100, speech=100, events=[final(0, 100)]))
    await stores.work.commit(claim, span(2, "2-0", 200, speech=100, events=[final(100, 200)]))
    window = await stores.windows.window(SID)
    assert window is not None
    await stores.windows.close(SID, window, [Utterance(0, "word", 0, 100, 1.0, 2, 2)], 3)
    save = await stores.saves.save(SID, conn, 0)
    assert save.saved is not None
    log = [decode(payload) for payload in save.payloads]
    assert all(isinstance(event, Event) for event in log)
    return save.saved, log  # type: ignore[return-value]


async def test_a_client_is_given_where_its_session_stands_with_the_events_it_lacks(
    stores: Stores,
) -> None:
    saved, log = await _kept(stores)
    assert saved == Saved(
        session(), conn=1, connections=1, event=4, commits=2, consumed="2-0", done=2, offset=200,
        border=200, heard=200, transcribed=200, carried=b"carry 2",
    )  # fmt: skip
    assert log == [Status("connected"), final(0, 100), final(100, 200),
                   Utterance(0, "word", 0, 100, 1.0, 2, 2)]  # fmt: skip
    again = await stores.saves.save(SID, 1, 3)
    assert (again.saved, [decode(payload) for payload in again.payloads]) == (saved, log[3:])


async def test_nothing_is_given_to_whom_it_is_of_no_use(stores: Stores) -> None:
    saves = stores.saves
    assert await saves.save(SID, 1, 0) == Save(Outcome.MISSING)
    await stores.connect()
    assert await saves.save(SID, 7, 0) == Save(Outcome.SUPERSEDED)
    assert await saves.save(SID, 1, 2) == Save(Outcome.NOTHING)
    await stores.sessions.mark(SID, 1, "end")
    assert (await saves.save(SID, 1, 1)).outcome is Outcome.DONE
    await stores.work.commit(await stores.claim(), span(1, "0-1", 0))
    assert await saves.save(SID, 1, 1) == Save(Outcome.NOTHING)


async def test_a_restored_session_is_the_one_that_was_kept(stores: Stores) -> None:
    saved, log = await _kept(stores)
    before = await stores.look()
    await stores.redis("FLUSHALL")
    assert await stores.saves.restore(saved, log, "new") is Outcome.DONE
    after = await stores.look()
    assert (after.epoch, after.status, after.before) == ("new", "reconnecting", "recording")
    assert (after.next, after.received, after.carry, after.audio) == (3, 200, b"carry 2", [])
    assert after.conn > 1_000_000_000_000
    for name in ("events", "commits", "consumed", "done", "offset", "border", "heard", "context",
                 "transcribed", "silence", "open_from", "last_end", "utterances", "finals",
                 "latencies", "carried", "connections"):  # fmt: skip
        assert getattr(after, name) == getattr(before, name), name
    attached = await stores.sessions.attach(SID)
    assert attached is not None
    assert (attached.status, attached.next, attached.connections) == ("recording", 3, 2)


async def test_a_session_that_is_there_stays_as_it_is(stores: Stores) -> None:
    saved, log = await _kept(stores)
    before = await stores.look()
    assert await stores.saves.restore(saved, log, "new") is Outcome.NOTHING
    assert await stores.look() == before


async def test_one_that_stands_behind_is_replaced_and_its_owner_fenced_off(stores: Stores) -> None:
    await stores.connect()
    await stores.store(1, 2)
    owner = await stores.claim()
    keys = stores.keys()
    older = [await stores.redis("DUMP", key) for key in (keys.meta, keys.audio, keys.log)]
    await stores.work.commit(owner, span(1, "1-0", 100, speech=100, events=[final(0, 100)]))
    save = await stores.saves.save(SID, 1, 0)
    assert save.saved is not None
    for key, value in zip((keys.meta, keys.audio, keys.log), older, strict=True):
        await stores.redis("RESTORE", key, 60_000, value, "REPLACE")
    log = [Status("connected"), final(0, 100)]
    assert await stores.saves.restore(save.saved, log, "new") is Outcome.DONE
    again = span(1, "1-0", 100, speech=100, events=[final(0, 100)])
    assert not await stores.work.commit(owner, again)
    assert not await stores.work.commit(owner, span(2, "2-0", 200, silence=100))
    state = await stores.look()
    assert (state.done, state.next, state.audio, state.lease) == (1, 2, [], None)


async def test_a_removed_session_is_restored_only_once_that_is_forgotten(stores: Stores) -> None:
    saved, log = await _kept(stores)
    await stores.sessions.remove(SID)
    assert await stores.saves.restore(saved, log, "new") is Outcome.MISSING
    assert 0 < await stores.redis("PTTL", stores.keys().removed) <= stores.limits.idle_ms
    await stores.redis("DEL", stores.keys().removed)
    assert await stores.saves.restore(saved, log, "new") is Outcome.DONE
