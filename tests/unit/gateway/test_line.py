"""The inbox of a line: order, bounds, nothing left behind."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_gateway.domain.client import Audio, Ping
from steno_gateway.domain.dialects.base import Heard
from steno_gateway.domain.errors import ClientError
from steno_gateway.inflow import Inflow
from steno_gateway.line import FRAME_BYTES, Inbox


def audio(data: bytes) -> Heard:
    return Heard(0.0, (Audio(data),))


_said = st.binary(max_size=50).map(audio) | st.just(Heard(0.0, (Ping(),)))


@given(st.lists(_said | st.sampled_from(["take", "take audio"]), max_size=60))
def test_what_waits_comes_out_in_order_and_is_counted_to_the_byte(steps: list[Heard | str]) -> None:
    inflow = Inflow(waiting_bytes=7)
    inbox, expected = Inbox(inflow, 1_000), list[Heard]()
    for step in steps:
        if isinstance(step, Heard):
            size = sum(len(each.data) for each in step.messages if isinstance(each, Audio))
            inbox.put(step, size)
            expected.append(step)
        elif step == "take":
            assert inbox.take() == (expected.pop(0) if expected else None)
        else:
            head = expected[0].messages if expected else ()
            data = head[0].data if head and isinstance(head[0], Audio) else None
            assert inbox.take_audio() == (data or b"")
            if data is not None:
                expected.pop(0)
        held = [each for heard in expected for each in heard.messages if isinstance(each, Audio)]
        assert inbox.audio_bytes == sum(len(each.data) for each in held)
        assert inbox.size == inbox.audio_bytes + FRAME_BYTES * len(expected)
        assert inflow.waiting_bytes == 7 + inbox.size
        assert inbox.full == (inbox.size >= 1_000)
    inbox.discard()
    assert (inflow.waiting_bytes, inbox.take()) == (7, None)


def test_what_cannot_be_read_is_no_audio() -> None:
    inbox = Inbox(Inflow(), 1_000)
    inbox.put(Heard(0.0, (), ClientError("invalid_json", "no")), 3)
    inbox.put(audio(b"ab"), 2)
    assert inbox.take_audio() == b""
    heard = inbox.take()
    assert heard is not None
    assert heard.error is not None
    assert inbox.take_audio() == b"ab"


def test_a_closed_inbox_takes_nothing_and_gives_what_it_has() -> None:
    inbox = Inbox(Inflow(), 1_000)
    inbox.put(audio(b"ab"), 2)
    inbox.close()
    inbox.put(audio(b"cd"), 2)
    assert inbox.take() == audio(b"ab")
    assert inbox.take() is None


CHANGES: dict[str, tuple[Callable[[Inbox], object], Callable[[Inbox], bool]]] = {
    "put": (lambda inbox: inbox.put(audio(b"ab"), 2), lambda inbox: inbox.size > 2 + FRAME_BYTES),
    "take": (lambda inbox: inbox.take(), lambda inbox: inbox.size == 0),
    "close": (lambda inbox: inbox.close(), lambda inbox: inbox.closed),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_all_who_wait_see_a_change(change: str) -> None:
    make, holds = CHANGES[change]
    inbox = Inbox(Inflow(), 1_000)
    inbox.put(audio(b"ab"), 2)
    waiting = [asyncio.create_task(inbox.until(holds)) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    make(inbox)
    async with asyncio.timeout(60):
        await asyncio.gather(*waiting)
