"""The gateway's part: sessions, chunks, markers, states."""

import asyncio

import pytest
from tests.contract.stores import SID, Stores, chunk, session, span

from steno_common.keys import WAKE_CHANNEL
from steno_common.messages import Session, Status
from steno_common.store.sessions import Appended, Attached, Chunk, Outcome, Polled

DONE, NOTHING, GAP, FULL = Outcome.DONE, Outcome.NOTHING, Outcome.GAP, Outcome.FULL
ENDED, SUPERSEDED, MISSING = Outcome.ENDED, Outcome.SUPERSEDED, Outcome.MISSING


async def test_a_repeated_create_keeps_the_first_session(stores: Stores) -> None:
    await stores.sessions.create(session(), "first")
    await stores.sessions.create(Session(SID, 5, "audio/webm"), "second")
    snapshot = await stores.sessions.snapshot(SID)
    assert snapshot is not None
    assert (snapshot.session, snapshot.epoch) == (session(), "first")
    assert snapshot.status == "connecting"


async def test_an_unknown_session_is_missing_everywhere(stores: Stores) -> None:
    sessions = stores.sessions
    assert await sessions.attach(SID) is None
    assert await sessions.snapshot(SID) is None
    assert await sessions.append(SID, 1, [chunk(1)]) == [Appended(MISSING, 0, 0, 0)]
    assert await sessions.mark(SID, 1, "end") is MISSING
    assert await sessions.transition(SID, 1, "paused", ["recording"]) is MISSING
    assert await sessions.poll([(SID, 1)]) == [Polled(MISSING, 0, 0, 0, "", "")]
    assert not await sessions.remove(SID)
    assert await stores.work.checkpoint(SID) is None
    assert await stores.windows.window(SID) is None


async def test_each_connection_gets_the_next_number_with_the_facts_it_goes_on_from(
    stores: Stores,
) -> None:
    await stores.sessions.create(session(), "epoch")
    assert await stores.sessions.attach(SID) == Attached(
        1, session(), "connected", "epoch", next=1, done=0, event=1, received=0, backlog=0,
        carry=b"", connections=1,
    )  # fmt: skip
    await stores.store(1, 2)
    assert await stores.sessions.attach(SID) == Attached(
        2, session(), "connected", "epoch", next=3, done=0, event=1, received=200, backlog=200,
        carry=b"carry 2", connections=2,
    )  # fmt: skip


@pytest.mark.parametrize("before", ["connected", "recording", "paused"])
async def test_a_reconnected_session_is_where_it_was(stores: Stores, before: str) -> None:
    conn = await stores.connect()
    await stores.sessions.transition(SID, conn, before, ["connected"])
    lost = await stores.sessions.transition(SID, conn, "reconnecting", [before])
    attached = await stores.sessions.attach(SID)
    assert lost is DONE
    assert attached is not None
    assert (attached.conn, attached.status) == (2, before)


async def test_a_chunk_is_stored_once(stores: Stores) -> None:
    conn = await stores.connect()
    first = await stores.sessions.append(SID, conn, [chunk(1)])
    again = await stores.sessions.append(SID, conn, [Chunk(1, b"\0\0")])
    assert first == [Appended(DONE, next=2, done=0, backlog=100)]
    assert again == [Appended(NOTHING, next=2, done=0, backlog=100)]
    entries = (await stores.work.read({SID: "0-0"}, 10))[SID]
    assert [(entry.entry_id, entry.pcm) for entry in entries] == [("1-0", b"\1\0" * 100)]


async def test_a_batch_with_old_new_and_missing_chunks_gets_one_answer_each(
    stores: Stores,
) -> None:
    conn = await stores.connect()
    await stores.store(1, 2)
    chunks = [chunk(2), chunk(3), chunk(5), chunk(4)]
    answers = await stores.sessions.append(SID, conn, chunks)
    assert [(answer.outcome, answer.next) for answer in answers] == [
        (NOTHING, 3), (DONE, 4), (GAP, 4), (DONE, 5)
    ]  # fmt: skip


async def test_a_gap_names_the_number_to_resend_from(stores: Stores) -> None:
    conn = await stores.connect()
    await stores.store(1)
    answer = await stores.sessions.append(SID, conn, [chunk(7)])
    assert answer == [Appended(GAP, next=2, done=0, backlog=100)]


async def test_an_older_connection_is_refused_in_all_it_does(stores: Stores) -> None:
    old = await stores.connect()
    await stores.sessions.attach(SID)
    sessions = stores.sessions
    assert await sessions.append(SID, old, [chunk(1)]) == [Appended(SUPERSEDED, 1, 0, 0)]
    assert await sessions.mark(SID, old, "end") is SUPERSEDED
    assert await sessions.transition(SID, old, "recording", ["connected"]) is SUPERSEDED
    assert await sessions.poll([(SID, old), (SID, 2)]) == [
        Polled(SUPERSEDED, 1, 0, 0, "connected", "epoch"),
        Polled(DONE, 1, 0, 0, "connected", "epoch"),
    ]  # fmt: skip
    assert (await stores.look()).audio == []


async def test_nothing_is_stored_behind_the_end_and_a_duplicate_is_still_one(
    stores: Stores,
) -> None:
    conn = await stores.connect()
    await stores.store(1)
    await stores.sessions.mark(SID, conn, "end")
    answers = await stores.sessions.append(SID, conn, [chunk(1), chunk(2), chunk(3)])
    assert [answer.outcome for answer in answers] == [NOTHING, ENDED, ENDED]


async def test_a_full_backlog_refuses_until_a_commit(stores: Stores) -> None:
    stores = stores.limited(backlog_seconds=250 / 16_000)
    conn = await stores.connect()
    answers = await stores.sessions.append(SID, conn, [chunk(1), chunk(2), chunk(3)])
    assert [(a.outcome, a.next, a.backlog) for a in answers] == [
        (DONE, 2, 100), (DONE, 3, 200), (FULL, 3, 200)
    ]  # fmt: skip
    await stores.work.commit(await stores.claim(), span(1, "1-0", 100, silence=100))
    assert await stores.sessions.append(SID, conn, [chunk(3)]) == [
        Appended(DONE, next=4, done=1, backlog=200)
    ]


async def test_a_backlog_never_refuses_a_first_chunk_however_long(stores: Stores) -> None:
    stores = stores.limited(backlog_seconds=250 / 16_000)
    conn = await stores.connect()
    answers = await stores.sessions.append(SID, conn, [chunk(1, 9000), chunk(2, 1)])
    assert [answer.outcome for answer in answers] == [DONE, FULL]


async def test_a_session_that_begins_to_wait_wakes_a_transcriber_once(stores: Stores) -> None:
    await stores.connect()
    async with stores.link.pubsub(stores.keys().shard) as pubsub:
        await pubsub.subscribe(WAKE_CHANNEL)
        assert await pubsub.get_message(timeout=60) is None  # the subscription itself
        await stores.store(1, 2)
        await stores.claim()
        await stores.store(3)
        await stores.redis("PUBLISH", WAKE_CHANNEL, "end of this test")
        heard: list[bytes] = []
        async with asyncio.timeout(60):
            while heard[-1:] != [b"end of this test"]:
                message = await pubsub.get_message(timeout=1)
                heard += [message["data"]] if message else []
    assert heard == [SID.encode(), b"end of this test"]


async def test_markers_stand_behind_the_chunk_they_follow(stores: Stores) -> None:
    conn = await stores.connect()
    await stores.store(1, 2)
    assert await stores.sessions.mark(SID, conn, "finalize") is DONE
    await stores.store(3)
    assert await stores.sessions.mark(SID, conn, "end", tail=b"\7\0" * 3) is DONE
    entries = (await stores.work.read({SID: "0-0"}, 10))[SID]
    assert [(entry.entry_id, entry.sequence, entry.marker) for entry in entries] == [
        ("1-0", 1, ""), ("2-0", 2, ""), ("2-1", 2, "finalize"), ("3-0", 3, ""), ("3-1", 3, "end")
    ]  # fmt: skip
    assert entries[-1].pcm == b"\7\0" * 3
    snapshot = await stores.sessions.snapshot(SID)
    assert snapshot is not None
    assert (snapshot.chunks, snapshot.received, snapshot.status) == (3, 303, "finalizing")


async def test_a_marker_that_comes_late_has_no_effect(stores: Stores) -> None:
    conn = await stores.connect()
    await stores.store(1, 2)
    before = (await stores.look()).audio
    assert await stores.sessions.mark(SID, conn, "finalize", behind=1) is NOTHING
    assert await stores.sessions.mark(SID, conn, "end", behind=3) is GAP
    assert (await stores.look()).audio == before
    assert await stores.sessions.mark(SID, conn, "finalize", behind=2) is DONE


async def test_a_marker_is_not_repeated_at_the_same_place(stores: Stores) -> None:
    conn = await stores.connect()
    await stores.store(1)
    kinds = ["finalize", "finalize", "idle", "idle", "finalize", "end", "end", "finalize"]
    outcomes = [await stores.sessions.mark(SID, conn, kind) for kind in kinds]  # type: ignore[arg-type]
    assert outcomes == [DONE, NOTHING, DONE, NOTHING, NOTHING, DONE, NOTHING, NOTHING]
    assert [entry[:2] for entry in (await stores.look()).audio[1:]] == [
        ("1-1", "finalize"), ("1-2", "idle"), ("1-3", "end")
    ]  # fmt: skip


async def test_a_marker_may_follow_the_next_chunk_again(stores: Stores) -> None:
    conn = await stores.connect()
    for n in (1, 2):
        await stores.store(n)
        assert await stores.sessions.mark(SID, conn, "idle") is DONE
    assert [entry[0] for entry in (await stores.look()).audio] == ["1-0", "1-1", "2-0", "2-1"]


async def test_before_the_first_chunk_there_is_nothing_to_mark_but_the_end(
    stores: Stores,
) -> None:
    conn = await stores.connect()
    assert await stores.sessions.mark(SID, conn, "finalize") is NOTHING
    assert await stores.sessions.mark(SID, conn, "idle") is NOTHING
    assert await stores.sessions.mark(SID, conn, "end", status="error") is DONE
    assert [entry[:2] for entry in (await stores.look()).audio] == [("0-1", "end")]
    assert (await stores.sessions.poll([(SID, conn)]))[0].status == "error"


async def test_a_state_changes_only_from_where_it_may(stores: Stores) -> None:
    conn = await stores.connect()
    change = stores.sessions.transition
    assert await change(SID, conn, "paused", ["recording"]) is NOTHING
    assert await change(SID, conn, "recording", ["connected"]) is DONE
    assert await change(SID, conn, "recording", ["connected"]) is NOTHING
    events = await stores.sessions.events(SID)
    assert [(e.number, e.event) for e in events] == [
        (1, Status("connected")), (2, Status("recording"))
    ]  # fmt: skip


async def test_what_a_socket_took_is_noted_while_it_is_there_and_when_it_goes(
    stores: Stores,
) -> None:
    conn, sessions = await stores.connect(), stores.sessions

    async def handed() -> int:
        snapshot = await sessions.snapshot(SID)
        assert snapshot is not None
        return snapshot.handed

    assert await handed() == 0
    await sessions.poll([(SID, conn)], handed={(SID, conn): 5})
    assert await handed() == 5
    await sessions.transition(SID, conn, "reconnecting", ["connected"], handed=7)
    assert await handed() == 7
    await sessions.poll([(SID, conn)], handed={(SID, conn): 6})  # on its way since before
    assert await handed() == 7
    await sessions.attach(SID)
    await sessions.poll([(SID, conn)], handed={(SID, conn): 9})
    await sessions.transition(SID, conn, "reconnecting", ["connected"], handed=9)
    assert await handed() == 7


async def test_a_snapshot_counts_what_is_stored_and_what_is_committed(stores: Stores) -> None:
    await stores.connect()
    await stores.store(1, 2)
    commit = span(1, "1-0", 100, speech=60, silence=40)
    await stores.work.commit(await stores.claim(), commit)
    snapshot = await stores.sessions.snapshot(SID)
    assert snapshot is not None
    assert (snapshot.chunks, snapshot.received) == (2, 200)
    assert (snapshot.transcribed, snapshot.silence, snapshot.event) == (60, 40, 1)
    assert snapshot.start_ms == 1_700_000_000_000
    assert snapshot.seen_ms > snapshot.start_ms
