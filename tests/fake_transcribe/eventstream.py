"""The event-stream framing of AWS: messages of typed headers with a payload, between checksums."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID
from zlib import crc32

_PRELUDE: Final = struct.Struct("!III")
"""Length of the whole message, length of its headers, checksum of these two."""
_CHECKSUM: Final = struct.Struct("!I")
OVERHEAD: Final = _PRELUDE.size + _CHECKSUM.size
MAX_HEADERS: Final = 128 * 1024
MAX_PAYLOAD: Final = 16 * 1024 * 1024
MAX_VALUE: Final = 32 * 1024 - 1
"""Bytes of a header's string or byte array."""

_TRUE, _FALSE, _BYTES, _STRING, _TIMESTAMP, _UUID = 0, 1, 6, 7, 8, 9
_INTEGERS: Final = {2: "!b", 3: "!h", 4: "!i", 5: "!q"}
_SIZES: Final = {struct.calcsize(form): kind for kind, form in _INTEGERS.items()}


class FramingError(Exception):
    """Bytes that are no message, or a message that cannot be written."""


@dataclass(frozen=True, slots=True)
class Integer:
    """A signed number in 1, 2, 4 or 8 bytes."""

    value: int
    size: int = 4


@dataclass(frozen=True, slots=True)
class Timestamp:
    """Milliseconds since 1970, UTC."""

    milliseconds: int


Value = bool | bytes | str | UUID | Integer | Timestamp


@dataclass(frozen=True, slots=True)
class Message:
    """One message; header names are unique."""

    headers: Mapping[str, Value] = field(default_factory=dict)
    payload: bytes = b""

    def encode(self) -> bytes:
        """Give its bytes. Raises FramingError if a part of it is too long."""
        headers = b"".join(encode_header(name, value) for name, value in self.headers.items())
        if len(headers) > MAX_HEADERS or len(self.payload) > MAX_PAYLOAD:
            raise FramingError("headers or payload are too long")
        lengths = struct.pack("!II", OVERHEAD + len(headers) + len(self.payload), len(headers))
        body = lengths + _CHECKSUM.pack(crc32(lengths)) + headers + self.payload
        return body + _CHECKSUM.pack(crc32(body))


def encode_header(name: str, value: Value) -> bytes:
    """Give the bytes of one header, which a signature is made over too."""
    written = name.encode()
    if not 1 <= len(written) <= 255:
        raise FramingError("a header's name has 1 to 255 bytes")
    return bytes((len(written),)) + written + _encode_value(value)


def _encode_value(value: Value) -> bytes:
    match value:
        case bool():
            return bytes((_TRUE if value else _FALSE,))
        case Integer():
            kind = _SIZES[value.size]
            return bytes((kind,)) + struct.pack(_INTEGERS[kind], value.value)
        case Timestamp():
            return struct.pack("!Bq", _TIMESTAMP, value.milliseconds)
        case UUID():
            return bytes((_UUID,)) + value.bytes
        case _:
            kind, data = (_BYTES, value) if isinstance(value, bytes) else (_STRING, value.encode())
            if len(data) > MAX_VALUE:
                raise FramingError("a header's value is too long")
            return struct.pack("!BH", kind, len(data)) + data


class Decoder:
    """Takes bytes cut anywhere, gives whole messages."""

    def __init__(self) -> None:
        self._rest = bytearray()

    @property
    def waits(self) -> bool:
        """Whether a message has begun that is not whole yet."""
        return bool(self._rest)

    def feed(self, data: bytes) -> Iterator[Message]:
        """Give the messages that are whole now. Raises FramingError; nothing follows one."""
        self._rest += data
        while len(self._rest) >= _PRELUDE.size:
            total = self._checked_length()
            if len(self._rest) < total:
                return
            whole = bytes(self._rest[:total])
            del self._rest[:total]
            yield _message(whole)

    def _checked_length(self) -> int:
        total, headers, checksum = _PRELUDE.unpack_from(self._rest)
        if crc32(self._rest[:8]) != checksum:
            raise FramingError("the checksum of the lengths is wrong")
        payload = total - headers - OVERHEAD
        if headers > MAX_HEADERS or not 0 <= payload <= MAX_PAYLOAD:
            raise FramingError("the lengths are impossible")
        return int(total)


def decode_one(data: bytes) -> Message:
    """Read bytes that are exactly one message. Raises FramingError."""
    decoder = Decoder()
    messages = list(decoder.feed(data))
    if len(messages) != 1 or decoder.waits:
        raise FramingError("not exactly one message")
    return messages[0]


def _message(whole: bytes) -> Message:
    if crc32(whole[:-4]) != _CHECKSUM.unpack(whole[-4:])[0]:
        raise FramingError("the checksum of the message is wrong")
    end = _PRELUDE.size + _PRELUDE.unpack_from(whole)[1]
    headers: dict[str, Value] = {}
    for name, value in _headers(whole[_PRELUDE.size : end]):
        if name in headers:
            raise FramingError(f"header {name} comes twice")
        headers[name] = value
    return Message(headers, whole[end:-4])


def _headers(data: bytes) -> Iterator[tuple[str, Value]]:
    place = 0
    try:
        while place < len(data):
            begin, place = place + 1, place + 1 + data[place]
            name = data[begin:place].decode()
            value, place = _value(data, place + 1, data[place])
            yield name, value
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise FramingError("the headers are broken") from error
    if place > len(data):
        raise FramingError("a header is cut off")


def _value(data: bytes, place: int, kind: int) -> tuple[Value, int]:
    """Give the value that begins at a place with the place behind it."""
    if kind in (_TRUE, _FALSE):
        return kind == _TRUE, place
    if kind in _INTEGERS:
        form = _INTEGERS[kind]
        size = struct.calcsize(form)
        return Integer(struct.unpack_from(form, data, place)[0], size), place + size
    if kind == _TIMESTAMP:
        return Timestamp(struct.unpack_from("!q", data, place)[0]), place + 8
    if kind == _UUID:
        return UUID(bytes=data[place : place + 16].ljust(16, b"\0")), place + 16
    if kind not in (_BYTES, _STRING):
        raise FramingError(f"a header has the unknown type {kind}")
    begin = place + 2
    end = begin + struct.unpack_from("!H", data, place)[0]
    text = data[begin:end]
    return (text if kind == _BYTES else text.decode()), end
