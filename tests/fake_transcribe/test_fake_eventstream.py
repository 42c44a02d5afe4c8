"""The framing agrees with that of Amazon's own client library, and notices every wrong bit."""

import struct
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zlib import crc32

import pytest
from amazon_transcribe.eventstream import (
    EventStreamBuffer,
    EventStreamMessageSerializer,
    Int8HeaderValue,
    Int16HeaderValue,
    Int32HeaderValue,
    Int64HeaderValue,
)
from hypothesis import given
from hypothesis import strategies as st
from tests.fake_transcribe.eventstream import (
    MAX_VALUE,
    Decoder,
    FramingError,
    Integer,
    Message,
    Timestamp,
    Value,
    decode_one,
)

THEIR_INTEGERS = {1: Int8HeaderValue, 2: Int16HeaderValue, 4: Int32HeaderValue, 8: Int64HeaderValue}
INTEGERS = st.sampled_from([1, 2, 4, 8]).flatmap(
    lambda size: st.integers(-(1 << 8 * size - 1), (1 << 8 * size - 1) - 1).map(
        lambda value: Integer(value, size)
    )
)
VALUES: st.SearchStrategy[Value] = st.one_of(
    st.booleans(),
    st.binary(max_size=40),
    st.text(max_size=20),
    st.uuids(),
    INTEGERS,
    st.integers(0, 4_000_000_000).map(lambda seconds: Timestamp(1_000 * seconds)),
)
MESSAGES = st.builds(
    Message,
    st.dictionaries(st.text(min_size=1, max_size=20), VALUES, max_size=5),
    st.binary(max_size=200),
)


def theirs(value: Value) -> Any:
    """Give a value as the library takes it."""
    match value:
        case Integer():
            return THEIR_INTEGERS[value.size](value.value)
        case Timestamp():
            return datetime.fromtimestamp(value.milliseconds / 1_000, UTC)
        case _:
            return value


def as_they_read(value: Value) -> Any:
    match value:
        case Integer():
            return value.value
        case Timestamp():
            return value.milliseconds
        case UUID():
            return value.bytes
        case _:
            return value


@given(MESSAGES)
def test_both_write_the_same_bytes(message: Message) -> None:
    headers = {name: theirs(value) for name, value in message.headers.items()}
    written = EventStreamMessageSerializer().serialize(headers, message.payload)
    assert message.encode() == written


@given(MESSAGES)
def test_the_library_reads_what_is_written(message: Message) -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(message.encode())
    (read,) = list(buffer)
    assert read.headers == {name: as_they_read(value) for name, value in message.headers.items()}
    assert read.payload == message.payload


@given(st.lists(MESSAGES, max_size=4), st.data())
def test_messages_cut_anywhere_come_back_whole(
    messages: list[Message], data: st.DataObject
) -> None:
    written = b"".join(message.encode() for message in messages)
    places = sorted(data.draw(st.lists(st.integers(0, len(written)), max_size=8)))
    decoder, read = Decoder(), []
    for first, last in zip([0, *places], [*places, len(written)], strict=True):
        read += list(decoder.feed(written[first:last]))
    assert read == messages
    assert not decoder.waits


@given(MESSAGES, st.data())
def test_a_wrong_bit_is_noticed(message: Message, data: st.DataObject) -> None:
    written = bytearray(message.encode())
    place = data.draw(st.integers(0, 8 * len(written) - 1))
    written[place // 8] ^= 1 << place % 8
    with pytest.raises(FramingError):
        decode_one(bytes(written))


@given(st.binary(max_size=100))
def test_arbitrary_bytes_raise_only_the_one_error(data: bytes) -> None:
    try:
        list(Decoder().feed(data))
    except FramingError:
        return


@given(st.binary(max_size=60))
def test_arbitrary_headers_raise_only_the_one_error(headers: bytes) -> None:
    try:
        decode_one(framed(headers))
    except FramingError:
        return


def framed(headers: bytes, total: int | None = None) -> bytes:
    """Give a message whose checksums are right, whatever its headers are."""
    lengths = struct.pack("!II", 16 + len(headers) if total is None else total, len(headers))
    body = lengths + struct.pack("!I", crc32(lengths)) + headers
    return body + struct.pack("!I", crc32(body))


def with_wrong_lengths_checksum() -> bytes:
    """Give a message whose other checksum is right."""
    body = struct.pack("!III", 16, 0, 1)
    return body + struct.pack("!I", crc32(body))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (framed(b"\1a\0" * 2), "header a comes twice"),
        (framed(b"\1a\x0a"), "unknown type 10"),
        (framed(b"\1a\7\0\5abc"), "cut off"),
        (framed(b"\1a\4\0"), "broken"),
        (framed(b"\1\xff\0"), "broken"),
        (framed(b"\1a\x09short"), "cut off"),
        (framed(b"", total=15), "lengths are impossible"),
        (framed(b"", total=1 << 30), "lengths are impossible"),
        (framed(b"")[:-1], "not exactly one"),
        (with_wrong_lengths_checksum(), "checksum of the lengths"),
        (framed(b"") * 2, "not exactly one"),
    ],
)
def test_what_is_no_message_is_named(data: bytes, reason: str) -> None:
    with pytest.raises(FramingError, match=reason):
        decode_one(data)


def test_a_value_may_be_so_long_and_no_longer() -> None:
    longest = Message({"a": bytes(MAX_VALUE)})
    assert decode_one(longest.encode()) == longest
    with pytest.raises(FramingError, match="value is too long"):
        Message({"a": "x" * (MAX_VALUE + 1)}).encode()
    with pytest.raises(FramingError, match="headers or payload are too long"):
        Message({f"{name}": bytes(MAX_VALUE) for name in range(5)}).encode()
    with pytest.raises(FramingError, match="name"):
        Message({"": True}).encode()
