"""The inbox: audio of one session between Redis and the recogniser."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from steno_common.store.work import Entry
from steno_transcriber.inbox import INBOX_BYTES, Inbox


def chunk(sequence: int, samples: int = 1_600, arrival_ms: int = 0) -> Entry:
    return Entry(f"{sequence}-0", sequence, bytes(2 * samples), "", arrival_ms)


def marker(sequence: int) -> Entry:
    return Entry(f"{sequence}-1", sequence, b"", "finalize", 0)


def test_a_run_ends_before_a_marker_that_comes_alone() -> None:
    inbox = Inbox("0-0")
    inbox.put([chunk(1), chunk(2), marker(2), chunk(3)])
    assert inbox.read_id == "3-0"
    runs = [asyncio.run(inbox.next_run()) for _ in range(3)]
    assert [[piece.entry.entry_id for piece in run] for run in runs] == [
        ["1-0", "2-0"], ["2-1"], ["3-0"]
    ]  # fmt: skip


async def test_who_waits_for_audio_gets_what_comes() -> None:
    inbox = Inbox("0-0")
    waiting = asyncio.ensure_future(inbox.next_run())
    await asyncio.sleep(0)
    assert not waiting.done()
    inbox.put([chunk(1)])
    assert [piece.entry.sequence for piece in await waiting] == [1]


async def test_what_is_being_recognised_counts_until_the_next_run_is_asked_for() -> None:
    inbox = Inbox("0-0")
    inbox.put([chunk(1, 100, 1_000), marker(1), chunk(2, 50, 1_300)])
    assert (inbox.samples, inbox.late_ms(1_500)) == ((150, 0), 500)
    await inbox.next_run()
    assert (inbox.samples, inbox.late_ms(1_500)) == ((50, 100), 500)
    await inbox.next_run()
    await inbox.next_run()
    assert (inbox.samples, inbox.late_ms(1_500)) == ((0, 50), 200)
    assert inbox.late_ms(1_200) == 0
    asking = asyncio.ensure_future(inbox.next_run())
    await asyncio.sleep(0)
    assert (inbox.samples, inbox.late_ms(9_999)) == ((0, 0), 0)
    asking.cancel()


@given(st.lists(st.integers(1, 40_000), min_size=1, max_size=60))
def test_an_inbox_that_is_fed_while_it_is_hungry_is_bounded(sizes: list[int]) -> None:
    inbox = Inbox("0-0")
    for sequence, samples in enumerate(sizes, 1):
        if inbox.hungry:
            inbox.put([chunk(sequence, samples)])
        assert 2 * inbox.samples[0] < INBOX_BYTES + 2 * 40_000
