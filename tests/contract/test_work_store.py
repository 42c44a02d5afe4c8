"""The transcriber's part: claims, leases, fences, commits."""

import asyncio

import pytest
from tests.contract.stores import LIMITS, SID, Stores, final, session, span

from steno_common.messages import Ended, Status, Warned
from steno_common.store.work import Checkpoint, Committed

# Two sessions beside the usual one, in its shard.
SIDS = [f"{n:08}-0000-4000-8000-000000000000" for n in (1, 2, 5, 6)]


def _others(stores: Stores) -> list[str]:
    return [sid for sid in SIDS if stores.keys(sid).shard == stores.keys().shard][:2]


async def _three_waiting(stores: Stores) -> list[str]:
    """Give three sessions of one shard, the one first whose audio waits longest."""
    sids = [*_others(stores), SID]
    for minute, sid in enumerate(sids):
        await stores.connect(sid)
        await stores.store(1, session_id=sid)
        await stores.redis("ZADD", stores.keys().waiting, 1000 + minute, sid)
    return sids


async def _claims(stores: Stores, count: int) -> list[tuple[str, int]]:
    """Give who was claimed, with the tries."""
    claims = await stores.work.claim(stores.keys(), count)
    return [(claim.session_id, claim.tries) for claim in claims]


async def test_a_token_is_greater_than_all_before_it_though_redis_lost_them(
    stores: Stores,
) -> None:
    tokens = []
    for _ in range(3):
        await stores.connect()
        await stores.store(1)
        tokens.append((await stores.claim()).token)
        await stores.expire_lease()
        tokens.append((await stores.claim()).token)
        await stores.everywhere("FLUSHALL")
        await asyncio.sleep(0.005)  # the clock of Redis is what tells them apart
    assert tokens == sorted(set(tokens))


async def test_the_session_that_waits_longest_is_claimed_first(stores: Stores) -> None:
    first, second, third = await _three_waiting(stores)
    assert await _claims(stores, 2) == [(first, 1), (second, 1)]
    assert await _claims(stores, 2) == [(third, 1)]
    assert await _claims(stores, 2) == []


async def test_sessions_of_silent_owners_come_before_those_that_wait(stores: Stores) -> None:
    first, second, third = await _three_waiting(stores)
    await _claims(stores, 2)
    await stores.redis("ZADD", stores.keys().leases, 7, first, 6, second)
    assert await _claims(stores, 1) == [(second, 2)]
    assert await _claims(stores, 5) == [(first, 2), (third, 1)]


async def test_a_lease_lasts_as_long_as_it_says(stores: Stores) -> None:
    await stores.connect()
    await stores.store(1)
    assert await _claims(stores.limited(lease_seconds=60), 1) == [(SID, 1)]
    assert await _claims(stores, 1) == []
    await stores.expire_lease()
    assert await _claims(stores.limited(lease_seconds=0), 1) == [(SID, 2)]
    assert await _claims(stores, 1) == [(SID, 3)]


async def test_sessions_that_can_be_claimed_are_named_with_how_long_they_wait(
    stores: Stores,
) -> None:
    first, second, third = await _three_waiting(stores)
    (found,) = await stores.work.waiting()
    assert found.shard.shard == stores.keys().shard
    assert list(found.waits) == [first, second, third]
    assert found.waits[first] - found.waits[third] == pytest.approx(0.002, abs=1e-5)
    await _claims(stores, 3)
    assert await stores.work.waiting() == []
    await stores.redis("ZADD", stores.keys().leases, 2000, second)
    (found,) = await stores.work.waiting()
    assert list(found.waits) == [second]
    assert found.waits[second] > 1_000_000


async def test_nobody_waits_before_the_audio_comes(stores: Stores) -> None:
    await stores.connect()
    assert await stores.work.waiting() == []
    await stores.store(1)
    (found,) = await stores.work.waiting()
    assert 0 <= found.waits[SID] < 5


async def test_an_old_owner_changes_nothing(stores: Stores) -> None:
    await stores.connect()
    await stores.store(1, 2)
    old = await stores.claim()
    await stores.expire_lease()
    new = await stores.claim()
    before = await stores.look()
    commit = span(1, "1-0", 100, silence=100, events=[Warned("old", "")])
    assert await stores.work.commit(old, commit) is Committed.FENCED
    assert await stores.work.renew([old, new]) == {SID}
    await stores.work.release(old)
    after = await stores.look()
    after.lease = before.lease  # the newer owner has renewed it
    assert after == before
    assert await stores.work.commit(new, commit)


async def test_a_renewed_lease_lasts_longer_for_each_session_of_any_shard(
    stores: Stores,
) -> None:
    claims = []
    for sid in (SID, *SIDS):
        await stores.connect(sid)
        await stores.store(1, session_id=sid)
        claims += await stores.work.claim(stores.keys(sid), 1)
    for sid in (SID, *SIDS):
        await stores.redis("ZADD", stores.keys(sid).leases, 5, sid)
    assert len({stores.keys(claim.session_id).shard for claim in claims}) == LIMITS.shards
    assert await stores.work.renew(claims) == set()
    for sid in (SID, *SIDS):
        lease = (await stores.look(sid)).lease
        assert lease is not None
        assert lease > 1_700_000_000_000


async def test_a_released_session_waits_for_another_as_long_as_its_audio_did(
    stores: Stores,
) -> None:
    await stores.connect()
    await stores.store(1, 2)
    arrival = (await stores.look()).audio[0][3]
    claim = await stores.claim()
    await stores.work.release(claim)
    await stores.work.release(claim)
    state = await stores.look()
    assert (state.waiting, state.lease, state.tries) == (arrival, None, None)
    assert await _claims(stores, 1) == [(SID, 1)]


async def test_a_released_session_without_audio_waits_for_nobody(stores: Stores) -> None:
    await stores.connect()
    await stores.store(1)
    claim = await stores.claim()
    await stores.work.commit(claim, span(1, "1-0", 100, silence=100))
    await stores.work.release(claim)
    assert await _claims(stores, 1) == []


async def test_claims_without_a_commit_are_counted(stores: Stores) -> None:
    await stores.connect()
    await stores.store(1, 2)
    for tries in (1, 2, 3):
        claim = await stores.claim()
        assert claim.tries == tries
        await stores.expire_lease()
    await stores.work.commit(claim, span(1, "1-0", 100, silence=100))
    await stores.expire_lease()
    assert (await stores.claim()).tries == 1


async def test_a_commit_moves_the_checkpoint_with_its_events(stores: Stores) -> None:
    await stores.connect()
    await stores.store(1, 2, 3)
    claim = await stores.claim()
    events = [final(10, 250), Warned("segment_skipped", "")]
    commit = span(1, "2-0", 250, offset=200, context="words", speech=240, silence=10,
                  events=events)  # fmt: skip
    assert await stores.work.commit(claim, commit)
    assert await stores.work.checkpoint(SID) == Checkpoint(
        session(), commits=1, consumed="2-0", done=2, offset=200, border=250, context="words",
    )  # fmt: skip
    logged = await stores.sessions.events(SID)
    assert [(e.number, e.event) for e in logged] == [
        (1, Status("connected")), (2, events[0]), (3, events[1])
    ]  # fmt: skip
    assert list(await stores.work.read({SID: "0-0"}, 10)) == [SID]
    (entry,) = (await stores.work.read({SID: "0-0"}, 10))[SID]
    assert entry.entry_id == "3-0"


async def test_a_repeated_commit_counts_once_though_it_succeeds_again(stores: Stores) -> None:
    await stores.connect()
    await stores.store(1, 2)
    claim = await stores.claim()
    commit = span(1, "1-0", 100, speech=100, events=[final(0, 100)])
    assert await stores.work.commit(claim, commit) is Committed.OK
    before = await stores.look()
    assert await stores.work.commit(claim, commit) is Committed.REPEATED
    assert await stores.look() == before


def test_only_a_fenced_commit_means_that_the_session_is_lost() -> None:
    assert [bool(committed) for committed in Committed] == [True, True, False]
    assert [committed.value for committed in Committed] == ["ok", "repeated", "fenced"]


async def test_a_commit_whose_forerunner_is_lost_is_refused(stores: Stores) -> None:
    await stores.connect()
    await stores.store(1, 2)
    claim = await stores.claim()
    before = await stores.look()
    assert not await stores.work.commit(claim, span(2, "1-0", 100, silence=100))
    assert await stores.look() == before


async def test_a_commit_keeps_how_the_decoder_stood_behind_what_is_done(stores: Stores) -> None:
    conn = await stores.connect()
    await stores.store(1, 2, 3)
    await stores.sessions.mark(SID, conn, "finalize")
    claim = await stores.claim()
    carried = []
    for number, consumed in enumerate(("2-0", "2-0", "3-0", "3-1"), 1):
        await stores.work.commit(claim, span(number, consumed, 100))
        carried.append((await stores.look()).carried)
    assert carried == [b"carry 2", b"carry 2", b"carry 3", b"carry 3"]


async def test_a_marker_behind_the_consumed_chunk_is_kept(stores: Stores) -> None:
    conn = await stores.connect()
    await stores.store(1)
    await stores.sessions.mark(SID, conn, "finalize")
    await stores.sessions.mark(SID, conn, "end")
    claim = await stores.claim()
    kept = []
    for number, consumed in enumerate(("1-0", "1-1", "1-2"), 1):
        await stores.work.commit(claim, span(number, consumed, 100))
        kept.append([entry[0] for entry in (await stores.look()).audio])
    assert kept == [["1-1", "1-2"], ["1-2"], []]


async def test_a_session_behind_a_marker_has_no_owner_until_more_comes(stores: Stores) -> None:
    conn = await stores.connect()
    await stores.store(1)
    await stores.sessions.mark(SID, conn, "finalize")
    claim = await stores.claim()
    await stores.work.commit(claim, span(1, "1-1", 100, silence=100))
    state = await stores.look()
    assert (state.lease, state.waiting) == (None, None)
    assert await stores.work.renew([claim]) == set()
    assert (await stores.look()).lease is None
    await stores.store(2)
    assert await _claims(stores, 1) == [(SID, 1)]


async def test_a_marker_with_audio_behind_it_leaves_the_session_to_its_owner(
    stores: Stores,
) -> None:
    conn = await stores.connect()
    await stores.store(1)
    await stores.sessions.mark(SID, conn, "finalize")
    await stores.store(2)
    claim = await stores.claim()
    await stores.work.commit(claim, span(1, "1-1", 100, silence=100))
    assert (await stores.look()).lease is not None
    assert await _claims(stores, 1) == []


async def test_an_owner_keeps_a_session_of_which_all_is_committed_between_two_chunks(
    stores: Stores,
) -> None:
    await stores.connect()
    await stores.store(1)
    claim = await stores.claim()
    assert await stores.work.commit(claim, span(1, "1-0", 100, silence=100))
    state = await stores.look()
    assert state.audio == []
    assert state.lease is not None
    await stores.store(2)
    assert (await stores.look()).waiting is None
    assert await _claims(stores, 1) == []
    assert await stores.work.commit(claim, span(2, "2-0", 200, silence=100))


async def test_who_dies_in_a_lull_is_followed_by_another(stores: Stores) -> None:
    await stores.connect()
    await stores.store(1)
    await stores.work.commit(await stores.claim(), span(1, "1-0", 100, silence=100))
    await stores.store(2)
    await stores.expire_lease()
    assert await _claims(stores, 1) == [(SID, 1)]


async def test_a_commit_to_an_expired_session_leaves_nothing(stores: Stores) -> None:
    await stores.connect()
    await stores.store(1)
    claim = await stores.claim()
    keys = stores.keys()
    await stores.redis("UNLINK", keys.meta, keys.audio, keys.log)
    assert not await stores.work.commit(claim, span(1, "1-0", 100, events=[Ended(100)]))
    assert await stores.redis("EXISTS", keys.meta, keys.audio, keys.log) == 0


async def test_an_expired_session_is_forgotten_once_it_is_released(stores: Stores) -> None:
    await stores.connect()
    await stores.store(1)
    keys = stores.keys()
    await stores.redis("UNLINK", keys.meta, keys.audio, keys.log)
    claim = await stores.claim()
    assert await stores.work.checkpoint(SID) is None
    await stores.work.release(claim)
    assert not (await stores.look()).indexed


async def test_audio_is_read_behind_a_position_for_many_sessions_at_once(
    stores: Stores,
) -> None:
    conn = await stores.connect()
    await stores.connect(SIDS[0])
    await stores.store(1, 2, 3, conn=conn)
    await stores.sessions.mark(SID, conn, "finalize")
    await stores.store(1, session_id=SIDS[0])
    await stores.connect(SIDS[1])
    found = await stores.work.read({SID: "1-0", SIDS[0]: "0-0", SIDS[1]: "0-0"}, 3)
    assert {sid: [entry.entry_id for entry in entries] for sid, entries in found.items()} == {
        SID: ["2-0", "3-0", "3-1"], SIDS[0]: ["1-0"]
    }  # fmt: skip


async def test_a_marker_behind_the_position_is_read_though_it_has_the_chunks_number(
    stores: Stores,
) -> None:
    conn = await stores.connect()
    await stores.store(1, conn=conn)
    await stores.sessions.mark(SID, conn, "finalize")
    assert [entry.entry_id for entry in (await stores.work.read({SID: "1-0"}, 3))[SID]] == ["1-1"]
    assert await stores.work.read({SID: "1-1"}, 3) == {}
    assert await stores.work.read({}, 3) == {}
