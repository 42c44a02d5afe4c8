"""Hostile connections are drawn from seeds, and their answers are read by another codec."""

from collections import Counter

import pytest
from bench.hostile.answers import how_it_ended
from bench.hostile.attack import Outcome
from bench.hostile.containers import KINDS, recording
from bench.hostile.frames import BINARY, CLOSE, TEXT, frame
from bench.hostile.kinds import WEIGHTS, drawn
from bench.hostile.messages import Raw, render
from bench.hostile.report import suspects
from hypothesis import given
from hypothesis import strategies as st
from wsproto.frame_protocol import FrameProtocol


def test_a_seed_gives_the_same_connection_every_time() -> None:
    for seed in range(200):
        assert drawn(seed) == drawn(seed)


def test_every_kind_comes_about_as_often_as_it_should() -> None:
    kinds = Counter(drawn(seed)[0] for seed in range(2_000))
    for draw, weight in WEIGHTS.items():
        assert 0.5 * weight < kinds[draw.__name__] / 20 < 2 * weight + 1


@given(st.integers(0, 70_000))
def test_a_right_frame_is_read_by_another_codec(size: int) -> None:
    codec, payload = FrameProtocol(client=False, extensions=[]), bytes(range(256)) * 280
    codec.receive_bytes(frame(BINARY, payload[:size]))
    assert b"".join(part.payload for part in codec.received_frames()) == payload[:size]


def test_a_frame_lies_as_it_is_told() -> None:
    assert frame(TEXT, b"a", masked=False) == b"\x81\x01a"
    assert frame(TEXT, b"a", masked=False, form=126) == b"\x81\x7e\x00\x01a"
    assert frame(TEXT, b"a", masked=False, announced=1 << 63) == b"\x81\x7f\x80" + bytes(7) + b"a"
    assert frame(9, b"", fin=False, rsv=7) == b"\x79\x80\x5a\x0f\xc3\x96"


def test_json_is_written_as_it_stands() -> None:
    assert render({"a": [1, Raw("NaN")], "b": Raw("[[")}) == '{"a":[1,NaN],"b":[[}'


@pytest.mark.parametrize("mime_type", KINDS)
def test_a_recording_is_the_same_every_time(mime_type: str) -> None:
    first = recording(mime_type)
    recording.cache_clear()
    assert recording(mime_type) == first


@pytest.mark.parametrize(
    ("heard", "opened", "how"),
    [
        (b"", True, "no answer"),
        (b"", False, "no answer"),
        (b"hello", False, "an answer that is no HTTP"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", False, "HTTP 400"),
        (b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 500 No\r\n\r\n", False, "HTTP 500"),
        (frame(CLOSE, b"\x03\xea", masked=False), True, "closed 1002"),
        (b"HTTP/1.1 101 Yes\r\n\r\n" + frame(CLOSE, b"\x03\xf3", masked=False), False,
         "closed 1011"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Yes\r\n\r\n"
         + frame(CLOSE, b"\x03\xea", masked=False), False, "closed 1002"),
        (frame(TEXT, b'{"code":"internal"}', masked=False), True, "internal"),
        (frame(TEXT, b"{}", masked=False), True, "ended without a close"),
        (frame(TEXT, b"{}", masked=True), True, "broken frames"),
    ],
)  # fmt: skip
def test_the_end_of_a_connection_has_a_name(heard: bytes, opened: bool, how: str) -> None:
    assert how_it_ended(heard, opened=opened) == how


def test_a_fault_is_traced_to_those_who_were_there() -> None:
    fault = 'gateway: {"time": "2026-01-01T00:00:10.000Z", "level": "error"}'
    at = 1_767_225_610.0
    outcomes = [Outcome(1, "frames", "", at - 2, at - 1), Outcome(2, "slow", "", at - 1, at + 1)]
    assert suspects(fault, outcomes) == "2 (slow)"
    assert suspects("gateway: Traceback", outcomes) == "unknown"
