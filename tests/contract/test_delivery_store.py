"""Deliveries on every Redis found: what is due, who holds it, how long the log stays."""

import asyncio

import pytest
from tests.contract.stores import SID, Stores, chunk, final, session, span

from steno_common.letters import Letter
from steno_common.messages import Completed, Destination, Ended, Final, Statistics, Status
from steno_common.saved import Saved
from steno_common.store.deliveries import LEASE_MS, Made, Place, Settled, Standing
from steno_common.store.letters import Wanted
from steno_common.store.sessions import Outcome

HOOK = Destination("hook-1", "webhook", "https://example.com/", "whsec_x")
RELAY = Destination("relay", "relay")
PLACE, OTHER = Place(SID, "hook-1"), Place(SID, "relay")
COMPLETED = Completed("", Statistics(0, 0, 0, 0, 0, 0, 0), ())


async def taken(stores: Stores, count: int = 10) -> set[Place]:
    return set(await stores.deliveries.take(stores.deliveries.shards, count))


async def standing(stores: Stores, place: Place = PLACE) -> Standing:
    found = (await stores.deliveries.standing([place]))[place]
    assert found is not None
    return found


async def lives(stores: Stores) -> tuple[int, int]:
    """Give the time to live of the session's hash and log (ms)."""
    keys = stores.keys()
    return await stores.redis("PTTL", keys.meta), await stores.redis("PTTL", keys.log)


def letter(known: Standing, number: int, reason: str = "http_503") -> Letter:
    return Letter(f"{SID}-{number}", known.session, known.epoch, HOOK, number, Status("connected"),
                  reason=reason)  # fmt: skip


async def finished(stores: Stores) -> None:
    """End the session, whose audio is chunk 1."""
    await stores.store(1)
    claim = await stores.claim()
    await stores.work.commit(claim, span(1, "1-0", 100, events=[final(0, 100)]))
    await stores.sessions.mark(SID, 1, "end")
    await stores.work.commit(claim, span(2, "1-1", 100, events=[Ended(100)]))
    await stores.windows.complete(SID, COMPLETED)


async def test_nothing_is_due_before_something_happens(stores: Stores) -> None:
    await stores.sessions.create(session(SID, HOOK, RELAY), "epoch")
    assert await taken(stores) == set()


async def test_an_event_makes_each_destination_due_for_one_notifier(stores: Stores) -> None:
    await stores.connect(SID, HOOK, RELAY)
    assert await taken(stores) == {PLACE, OTHER}
    assert await taken(stores) == set()


async def test_a_session_without_destinations_is_never_due(stores: Stores) -> None:
    await stores.connect()
    assert await taken(stores) == set()


async def test_events_are_read_behind_the_cursor_with_the_time_when_they_were_made(
    stores: Stores,
) -> None:
    conn = await stores.connect(SID, HOOK)
    await stores.sessions.transition(SID, conn, "recording", ["connected"])
    ((first, second), through) = await stores.deliveries.made(SID, 0, 10)
    assert isinstance(first, Made)
    assert [each.numbered.number for each in (first, second)] == [1, 2]
    assert through == 2
    seconds, _ = await stores.redis("TIME")
    assert abs(first.at_ms / 1000 - seconds) < 30
    assert await stores.deliveries.made(SID, 2, 10) == ([], 2)
    assert await stores.deliveries.made(SID, 0, 1) == ([first], 1)


async def test_what_no_version_knows_is_passed_over(stores: Stores) -> None:
    await stores.connect(SID, HOOK)
    await stores.redis("XADD", stores.keys().log, "2-0", "p", b"\x81\xa4type\xa8later.v1")
    made, through = await stores.deliveries.made(SID, 0, 10)
    assert ([each.numbered.number for each in made], through) == ([1], 2)


async def test_a_session_of_a_later_version_is_left_alone(stores: Stores) -> None:
    await stores.connect(SID, HOOK)
    await stores.redis("HSET", stores.keys().meta, "config", b"\x81\xa4type\xaasession.v9")
    assert await stores.deliveries.standing([PLACE, Place("nobody", "x")]) == {
        Place("nobody", "x"): None
    }


async def test_a_cursor_moves_until_nothing_follows(stores: Stores) -> None:
    conn = await stores.connect(SID, HOOK)
    await stores.sessions.transition(SID, conn, "recording", ["connected"])
    await taken(stores)
    known = await standing(stores)
    assert (known.event, known.cursor, known.tries, known.gone) == (2, 0, 0, False)
    assert await stores.deliveries.settle(PLACE, known, 1) is Settled.MORE
    assert await taken(stores) == set()  # still held
    known = await standing(stores)
    assert await stores.deliveries.settle(PLACE, known, 2) is Settled.DONE
    assert await stores.deliveries.settle(PLACE, known, 2) is Settled.DONE  # its reply was lost
    assert await stores.redis("ZCARD", stores.keys().outgoing) == 0
    await stores.sessions.transition(SID, conn, "paused", ["recording"])
    assert await taken(stores) == {PLACE}


async def test_whoever_read_an_older_cursor_moves_nothing(stores: Stores) -> None:
    conn = await stores.connect(SID, HOOK)
    await stores.sessions.transition(SID, conn, "recording", ["connected"])
    old = await standing(stores)
    assert await stores.deliveries.settle(PLACE, old, 2) is Settled.DONE
    assert await stores.deliveries.settle(PLACE, old, 1) is Settled.ELSEWHERE
    assert await stores.deliveries.retry(PLACE, old, 0) is Settled.ELSEWHERE
    assert (await standing(stores)).cursor == 2


async def test_a_failed_try_counts_once_and_comes_back_in_time(stores: Stores) -> None:
    await stores.connect(SID, HOOK)
    await taken(stores)
    known = await standing(stores)
    assert await stores.deliveries.retry(PLACE, known, 600) is Settled.DONE
    assert await stores.deliveries.retry(PLACE, known, 0) is Settled.ELSEWHERE
    assert await taken(stores) == set()
    await stores.redis("ZINCRBY", stores.keys().outgoing, -600_000, PLACE.member)
    assert await taken(stores) == {PLACE}
    assert (await standing(stores)).tries == 1


async def test_news_does_not_end_a_wait(stores: Stores) -> None:
    conn = await stores.connect(SID, HOOK)
    await taken(stores)
    await stores.deliveries.retry(PLACE, await standing(stores), 600)
    await stores.sessions.transition(SID, conn, "recording", ["connected"])
    assert await taken(stores) == set()


async def test_what_is_held_stays_and_what_is_given_back_is_due(stores: Stores) -> None:
    await stores.connect(SID, HOOK, RELAY)
    await taken(stores)
    place = stores.keys().outgoing
    before = float(await stores.redis("ZSCORE", place, PLACE.member))
    await asyncio.sleep(0.01)
    await stores.deliveries.hold([PLACE])
    assert float(await stores.redis("ZSCORE", place, PLACE.member)) > before
    await stores.deliveries.put_off([OTHER])
    await stores.deliveries.hold([OTHER])  # it is not ours any more
    assert await taken(stores) == {OTHER}


async def test_a_letter_is_written_once_with_the_cursor(stores: Stores) -> None:
    await stores.connect(SID, HOOK)
    known = await standing(stores)
    for _ in range(2):
        settled = await stores.deliveries.give_up(PLACE, known, letter(known, 1), most=10)
        assert settled is Settled.DONE
    assert [each async for _, each in stores.letters.find(Wanted())] == [letter(known, 1)]
    assert (await standing(stores)).cursor == 1


async def test_letters_are_bounded(stores: Stores) -> None:
    await stores.connect(SID, HOOK)
    for number in range(1, 500):
        known = await standing(stores)
        await stores.deliveries.give_up(PLACE, known, letter(known, number), most=100)
    kept = [each.number async for _, each in stores.letters.find(Wanted())]
    assert kept == list(range(400, 500))


async def test_a_destination_that_is_gone_stays_so(stores: Stores) -> None:
    await stores.connect(SID, HOOK, RELAY)
    known = await standing(stores)
    await stores.deliveries.give_up(PLACE, known, letter(known, 1), most=10, gone=True)
    assert (await standing(stores)).gone
    assert not (await standing(stores, OTHER)).gone


async def test_a_log_outlives_its_retention_while_it_is_to_be_delivered(stores: Stores) -> None:
    short = stores.limited(retention_seconds=1, delivery_keep_seconds=50)
    await short.connect(SID, HOOK, RELAY)
    await finished(short)
    for life in await lives(stores):
        assert 40_000 < life <= 50_000
    known = await standing(stores)
    await short.deliveries.retry(PLACE, known, 600)
    for life in await lives(stores):
        assert 640_000 < life <= 650_000
    known = await standing(stores)
    assert await short.deliveries.settle(PLACE, known, known.event) is Settled.DONE
    for life in await lives(stores):
        assert life > 640_000  # the relay has not got it yet
    known = await standing(stores, OTHER)
    assert await short.deliveries.settle(OTHER, known, known.event) is Settled.DONE
    for life in await lives(stores):
        assert life <= 1_000


async def test_a_session_that_is_delivered_nowhere_lives_no_longer(stores: Stores) -> None:
    short = stores.limited(retention_seconds=1, delivery_keep_seconds=50)
    await short.connect()
    await finished(short)
    for life in await lives(stores):
        assert life <= 1_000


async def test_audio_lives_no_longer_for_deliveries(stores: Stores) -> None:
    await stores.connect(SID, HOOK)
    await stores.store(1)
    assert await stores.redis("PTTL", stores.keys().audio) <= stores.limits.idle_ms
    assert min(await lives(stores)) > stores.limits.idle_ms


async def test_what_is_settled_while_the_session_goes_on_shortens_nothing(stores: Stores) -> None:
    await stores.connect(SID, HOOK)
    known = await standing(stores)
    await stores.deliveries.settle(PLACE, known, known.event)
    assert min(await lives(stores)) > stores.limits.idle_ms


async def test_a_removed_session_is_not_delivered_any_more(stores: Stores) -> None:
    await stores.connect(SID, HOOK, RELAY)
    known = await standing(stores)
    await stores.sessions.remove(SID)
    assert await taken(stores) == set()
    assert await stores.deliveries.settle(PLACE, known, 1) is Settled.MISSING
    assert await stores.deliveries.retry(PLACE, known, 1) is Settled.MISSING
    keys = stores.keys()
    assert await stores.names() == {keys.events, keys.removed}


@pytest.mark.parametrize("way", ["drop", "settle", "retry"])
async def test_a_session_that_expired_leaves_its_place_to_the_first_who_looks(
    stores: Stores, way: str
) -> None:
    await stores.connect(SID, HOOK)
    known, keys = await standing(stores), stores.keys()
    await stores.redis("UNLINK", keys.meta, keys.log)
    assert await stores.deliveries.standing([PLACE]) == {PLACE: None}
    match way:
        case "drop":
            await stores.deliveries.drop(PLACE)
        case "settle":
            await stores.deliveries.settle(PLACE, known, 1)
        case "retry":
            await stores.deliveries.retry(PLACE, known, 1)
    assert await stores.redis("ZCARD", keys.outgoing) == 0


async def test_a_restored_session_is_delivered_from_its_beginning_at_once(stores: Stores) -> None:
    await stores.connect(SID, HOOK)
    old = await standing(stores)
    await stores.deliveries.retry(PLACE, old, 600)
    keys = stores.keys()
    await stores.redis("UNLINK", keys.meta, keys.log)
    restored = Saved(session(SID, HOOK), conn=1, commits=1, consumed="1-0", done=1, event=2)
    log = [Status("connected"), final(0, 100)]
    assert await stores.saves.restore(restored, log, "epoch 2") is Outcome.DONE
    assert await taken(stores) == {PLACE}
    known = await standing(stores)
    assert (known.epoch, known.cursor, known.tries) == ("epoch 2", 0, 0)
    assert await stores.deliveries.settle(PLACE, old, 1) is Settled.ELSEWHERE
    made, _ = await stores.deliveries.made(SID, 0, 10)
    assert isinstance(made[1].numbered.event, Final)
    assert made[1].at_ms > 0


async def test_an_id_with_a_bar_in_it_is_read_as_it_was_written(stores: Stores) -> None:
    assert Place.read(Place("a|b", "hook-1").member.encode()) == Place("a|b", "hook-1")


async def test_what_is_due_what_is_later_and_the_letters_are_counted(stores: Stores) -> None:
    await stores.connect(SID, HOOK, RELAY)
    await stores.connect("other", HOOK)
    backlog = await stores.backlog.backlog()
    assert (backlog.due, backlog.later, backlog.letters) == (3, 0, 0)
    await taken(stores)
    known = await standing(stores)
    await stores.deliveries.give_up(PLACE, known, letter(known, 1), most=10)
    backlog = await stores.backlog.backlog()
    assert (backlog.due, backlog.later, backlog.letters) == (0, 2, 1)
    assert backlog.oldest_seconds == 0
    await stores.redis("ZADD", stores.keys().outgoing, 1, OTHER.member)
    assert (await stores.backlog.backlog()).oldest_seconds > 1_000_000


async def test_old_letters_go(stores: Stores) -> None:
    await stores.connect(SID, HOOK)
    known = await standing(stores)
    await stores.deliveries.give_up(PLACE, known, letter(known, 1), most=10)
    await stores.backlog.expire_letters(60)
    assert (await stores.backlog.backlog()).letters == 1
    await asyncio.sleep(0.02)
    await stores.backlog.expire_letters(0.0)
    assert (await stores.backlog.backlog()).letters in (0, 1)
    await stores.backlog.expire_letters(-60)
    assert (await stores.backlog.backlog()).letters == 0


async def test_a_lease_lasts_as_long_as_it_says(stores: Stores) -> None:
    await stores.connect(SID, HOOK)
    await taken(stores)
    seconds, micros = await stores.redis("TIME")
    until = float(await stores.redis("ZSCORE", stores.keys().outgoing, PLACE.member))
    assert LEASE_MS - 1000 < until - (seconds * 1000 + micros // 1000) <= LEASE_MS


async def test_a_full_redis_is_still_delivered(single: Stores) -> None:
    conn = await single.connect(SID, HOOK)
    await single.store(1)
    claim = await single.claim()
    await single.work.commit(claim, span(1, "1-0", 100, events=[final(0, 100)]))
    before = (await single.redis("CONFIG", "GET", "maxmemory"))[1]
    try:
        await single.redis("CONFIG", "SET", "maxmemory", 1)
        assert await taken(single) == {PLACE}
        known = await standing(single)
        await single.deliveries.hold([PLACE])
        assert await single.deliveries.retry(PLACE, known, 0) is Settled.DONE
        await single.deliveries.put_off([PLACE])
        assert await taken(single) == {PLACE}
        known = await standing(single)
        settled = await single.deliveries.give_up(PLACE, known, letter(known, 1), most=10)
        assert settled is Settled.MORE
        known = await standing(single)
        assert await single.deliveries.settle(PLACE, known, known.event) is Settled.DONE
    finally:
        await single.redis("CONFIG", "SET", "maxmemory", before)
    assert conn == 1
    assert chunk(1).sequence == 1
