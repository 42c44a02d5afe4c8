"""Server-Sent Events are blocks that any reader takes apart again."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_gateway.domain.sse import EVENT_NAMES, last_number, sse_block


def test_a_durable_event_has_an_id() -> None:
    block = sse_block("caption.final", b'{"a": 1}', "abc-7")
    assert block == b'id: abc-7\nevent: caption.final\ndata: {"a": 1}\n\n'


def test_a_partial_has_no_id() -> None:
    assert sse_block("caption.partial", b"{}") == b"event: caption.partial\ndata: {}\n\n"


@given(st.dictionaries(st.text(), st.text()), st.none() | st.integers(1, 10**9))
def test_a_block_is_one_event_whatever_its_text(message: Any, number: int | None) -> None:
    data = json.dumps(message).encode()
    block = sse_block("caption.final", data, None if number is None else f"e-{number}")
    body, end = block[:-2], block[-2:]
    fields = dict(line.split(": ", 1) for line in body.decode().split("\n"))
    assert end == b"\n\n"
    assert json.loads(fields["data"]) == message
    assert fields.get("id") == (None if number is None else f"e-{number}")


def test_every_event_that_listeners_get_has_a_name() -> None:
    assert set(EVENT_NAMES.values()) == {
        "caption.partial", "caption.final", "utterance.end", "session.status",
        "session.warning", "session.ended", "caption.translation", "caption.snapshot",
        "session.token",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("event_id", "number"),
    [
        ("", 0),
        ("e-0", 0),
        ("e-12", 12),
        ("f-12", None),
        ("e", None),
        ("e-", None),
        ("e--1", None),
        ("e-x", None),
        ("e-٣", None),
        ("e-²", None),
        ("e-" + "9" * 16, None),
    ],
)
def test_an_id_of_another_epoch_or_none_at_all_is_no_number(
    event_id: str, number: int | None
) -> None:
    assert last_number(event_id, "e") == number


@given(st.text())
def test_any_id_is_a_number_or_unknown(event_id: str) -> None:
    number = last_number(event_id, "e")
    assert number is None or number >= 0


@given(st.from_regex(r"[0-9a-f]{12}", fullmatch=True), st.integers(0, 10**15 - 1))
def test_an_id_gives_its_number_back(epoch: str, number: int) -> None:
    assert last_number(f"{epoch}-{number}", epoch) == number
