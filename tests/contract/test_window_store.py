"""The aggregator's part: windows that are due, sessions that end."""

from collections.abc import Sequence
from typing import Any

import pytest
from tests.contract.stores import SID, Stores, final, session, span

from steno_common.messages import (
    Completed,
    Ended,
    Event,
    Idle,
    Statistics,
    Status,
    Utterance,
)
from steno_common.store.windows import Window
from steno_common.store.work import Claim

SECOND = 16_000
COMPLETED = Completed("one two", Statistics(3, 300, 200, 100, 2, 1, 5), ("txt", "json"))


class Speaker:
    """A session whose chunks are committed one by one, as if each lasted for seconds."""

    def __init__(self, stores: Stores, claim: Claim) -> None:
        self.stores = stores
        self.claim = claim
        self.commits = 0

    async def commit(self, end: int, events: Sequence[Event] = (), **changes: Any) -> None:
        """Store a chunk, commit it."""
        self.commits += 1
        await self.stores.store(self.commits + 1)
        commit = span(self.commits, f"{self.commits}-0", end, events=events, **changes)
        assert await self.stores.work.commit(self.claim, commit)

    async def due(self) -> list[str]:
        """Name the sessions that are due."""
        return [due.session_id for due in await self.stores.windows.due()]

    async def window(self) -> Window:
        """Read the session."""
        window = await self.stores.windows.window(SID)
        assert window is not None
        return window


@pytest.fixture
async def speaker(stores: Stores) -> Speaker:
    """A session with an owner, a chunk ahead of its commits."""
    await stores.connect()
    await stores.store(1)
    return Speaker(stores, await stores.claim())


def utterance(index: int, first: int, last: int) -> Utterance:
    """Give an utterance from one final to another."""
    return Utterance(index, "words", 0, 100, 1.0, first, last)


async def test_a_final_alone_makes_nothing_due(speaker: Speaker) -> None:
    await speaker.commit(SECOND, [final(0, SECOND)])
    assert await speaker.due() == []
    assert (await speaker.window()).open_from == 2


@pytest.mark.parametrize(("gap", "due"), [(3 * SECOND - 1, []), (3 * SECOND, [SID])])
async def test_three_seconds_before_a_final_make_the_window_due(
    speaker: Speaker, gap: int, due: list[str]
) -> None:
    await speaker.commit(SECOND, [final(0, SECOND)])
    await speaker.commit(9 * SECOND, [final(SECOND + gap, 9 * SECOND)])
    assert await speaker.due() == due


@pytest.mark.parametrize(("silent", "due"), [(3 * SECOND - 1, []), (3 * SECOND, [SID])])
async def test_three_seconds_heard_behind_a_final_make_the_window_due(
    speaker: Speaker, silent: int, due: list[str]
) -> None:
    await speaker.commit(SECOND, [final(0, SECOND)])
    await speaker.commit(SECOND + silent)
    assert await speaker.due() == due
    assert (await speaker.window()).heard == SECOND + silent


async def test_silence_without_an_open_window_makes_nothing_due(speaker: Speaker) -> None:
    await speaker.commit(9 * SECOND)
    assert await speaker.due() == []


@pytest.mark.parametrize("event", [Idle(SECOND), Ended(SECOND)])
async def test_a_closing_commit_is_due_at_once(speaker: Speaker, event: Event) -> None:
    await speaker.commit(SECOND, [final(0, SECOND), event], closing=True)
    assert await speaker.due() == [SID]


async def test_a_window_closes_once(speaker: Speaker) -> None:
    await speaker.commit(SECOND, [final(0, SECOND), Idle(SECOND)], closing=True)
    window, windows = await speaker.window(), speaker.stores.windows
    assert await windows.close(SID, window, [utterance(0, 2, 2)], 0)
    assert not await windows.close(SID, window, [utterance(0, 2, 2)], 0)
    after = await speaker.window()
    assert (after.open_from, after.utterances) == (0, 1)
    assert [e.event for e in await windows.log(SID, 3, 9)] == [utterance(0, 2, 2)]


async def test_a_look_that_finds_nothing_to_close_ends_what_is_due(speaker: Speaker) -> None:
    await speaker.commit(SECOND, [final(0, SECOND), Idle(SECOND)], closing=True)
    windows = speaker.stores.windows
    assert await windows.close(SID, await speaker.window(), [utterance(0, 2, 2)], 0)
    assert await speaker.due() == [SID]
    assert await windows.close(SID, await speaker.window(), [], 0)
    assert await speaker.due() == []
    assert await windows.close(SID, await speaker.window(), [], 0)


async def test_what_is_committed_after_the_look_keeps_the_session_due(speaker: Speaker) -> None:
    await speaker.commit(SECOND, [final(0, SECOND)])
    stale = await speaker.window()
    await speaker.commit(SECOND, [Idle(SECOND)], closing=True)
    assert await speaker.stores.windows.close(SID, stale, [], stale.open_from)
    assert await speaker.due() == [SID]


async def test_a_final_committed_after_the_look_is_in_no_closed_window(speaker: Speaker) -> None:
    await speaker.commit(SECOND, [final(0, SECOND), Idle(SECOND)], closing=True)
    stale = await speaker.window()
    await speaker.commit(2 * SECOND, [final(SECOND, 2 * SECOND)])
    assert not await speaker.stores.windows.close(SID, stale, [utterance(0, 2, 2)], 0)
    fresh = await speaker.window()
    assert await speaker.stores.windows.close(SID, fresh, [utterance(0, 2, 2)], 4)
    assert (await speaker.window()).open_from == 4


async def test_several_utterances_close_together(speaker: Speaker) -> None:
    await speaker.commit(SECOND, [final(0, SECOND)])
    await speaker.commit(5 * SECOND, [final(4 * SECOND, 5 * SECOND)])
    await speaker.commit(9 * SECOND, [final(8 * SECOND, 9 * SECOND)])
    closed = [utterance(0, 2, 2), utterance(1, 3, 3)]
    assert await speaker.stores.windows.close(SID, await speaker.window(), closed, 4)
    after = await speaker.window()
    assert (after.open_from, after.utterances, after.event) == (4, 2, 6)


async def test_a_window_has_what_a_transcript_needs(speaker: Speaker) -> None:
    stores = speaker.stores
    await speaker.commit(100, [final(0, 80)], speech=80, silence=20)
    await stores.sessions.mark(SID, 1, "end")
    await stores.work.commit(speaker.claim, span(2, "2-1", 200, silence=100, events=[Ended(200)]))
    assert await speaker.window() == Window(
        session(), "finalizing", event=4, open_from=2, utterances=0, finals=1, chunks=2,
        received=200, transcribed=80, silence=120, mean_latency_ms=0, heard=200, ended=True,
        finished=False,
    )  # fmt: skip


async def test_the_latency_is_counted_from_the_arrival_of_the_last_chunk(
    speaker: Speaker,
) -> None:
    arrival = (await speaker.stores.look()).audio[0][3]
    await speaker.commit(SECOND, [final(0, SECOND)], arrival_ms=arrival - 1000)
    await speaker.commit(2 * SECOND, [final(SECOND, 2 * SECOND)], arrival_ms=arrival - 2000)
    assert 1500 <= (await speaker.window()).mean_latency_ms < 6500


async def test_a_session_completes_once(speaker: Speaker) -> None:
    stores = speaker.stores.limited(retention_seconds=30)
    assert await stores.windows.complete(SID, COMPLETED)
    assert not await stores.windows.complete(SID, COMPLETED)
    assert [e.event for e in await stores.sessions.events(SID)] == [
        Status("connected"), Status("completed"), COMPLETED
    ]  # fmt: skip
    state = await stores.look()
    assert (state.status, state.finished, state.indexed) == ("completed", 3, False)
    keys = stores.keys()
    assert await stores.redis("EXISTS", keys.audio) == 0
    assert 0 < await stores.redis("PTTL", keys.meta) <= 30_000
    assert 0 < await stores.redis("PTTL", keys.log) <= 30_000


async def test_an_error_stays_one_when_the_session_completes(speaker: Speaker) -> None:
    await speaker.stores.sessions.mark(SID, 1, "end", status="error")
    assert await speaker.stores.windows.complete(SID, COMPLETED)
    assert (await speaker.window()).status == "error"


async def test_a_completed_session_accepts_nothing_more(speaker: Speaker) -> None:
    stores = speaker.stores
    await stores.sessions.mark(SID, 1, "end")
    await stores.windows.complete(SID, COMPLETED)
    before = await stores.look()
    assert not await stores.work.commit(speaker.claim, span(1, "1-0", 100))
    assert not await stores.windows.end_abandoned(SID)
    await stores.windows.postpone(SID)
    assert await stores.windows.defer(SID, 100, 1000) == 100
    before.deferrals = 1
    assert await stores.look() == before


async def test_a_deferred_look_waits_twice_as_long_each_time(speaker: Speaker) -> None:
    await speaker.commit(SECOND, [final(0, SECOND), Idle(SECOND)], closing=True)
    windows = speaker.stores.windows
    pauses = [await windows.defer(SID, 60_000, 200_000) for _ in range(4)]
    assert pauses == [60_000, 120_000, 200_000, 200_000]
    assert await speaker.due() == []


async def test_received_is_transcribed_and_silence_once_all_is_committed(
    speaker: Speaker,
) -> None:
    stores = speaker.stores
    await speaker.commit(70, [final(10, 70)], offset=100, speech=60, silence=10)
    await stores.sessions.mark(SID, 1, "end", tail=b"\1\0" * 33)
    last = span(2, "2-1", 233, speech=0, silence=163, events=[Ended(233)], closing=True)
    await stores.work.commit(speaker.claim, last)
    window = await speaker.window()
    assert (window.received, window.transcribed, window.silence) == (233, 60, 173)
    assert (await stores.look()).backlog == 0
