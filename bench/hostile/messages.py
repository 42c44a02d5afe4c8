"""JSON messages that are nearly right."""

import base64
import json
from random import Random
from typing import Any, Final

from bench.hostile.frames import BINARY, TEXT, chunk, frame
from bench.hostile.script import Script, Step, some, spoiled


class Raw(str):
    """JSON text as it stands, valid or not."""

    __slots__ = ()


VALID: Final[tuple[dict[str, Any], ...]] = (
    {"type": "client:audio_chunk", "sequence_number": 1, "timestamp": 1699500000000,
     "mime_type": "audio/pcm", "chunk_id": "a", "audio_data": base64.b64encode(bytes(64)).decode()},
    {"type": "client:control", "action": "start"},
    {"type": "client:control", "action": "finalize"},
    {"type": "client:control", "action": "stop"},
    {"type": "client:ping", "timestamp": 1.5},
)  # fmt: skip
ODD: Final[tuple[Any, ...]] = (
    None, True, False, -1, 0, 2, 1.5, 1 << 31, 1 << 53, 1 << 63, 1 << 64, -(1 << 63) - 1,
    10**400, [], {}, [[]], "", " ", "1", "A", "A===", "!!!!", "QQ==\n", "QQ", "-_-_", "\0",
    "é" * 99, "x" * 70_000, "client:audio_chunk", "audio/webm", {"type": "client:ping"},
    *map(Raw, ("1e999", "-1e999", "NaN", "Infinity", "-Infinity", "1e-999", "-0", "01", "1.", ".5",
               "0x1", "1" * 5_000, "1." + "0" * 5_000, '"\\ud800"', '"\\u0000"', '"\\x"', '"\t"',
               "nul", "", "[" * 600 + "]" * 600, "[" * 100_000, '{"a":' * 50_000, "'x'", "1 2")),
)  # fmt: skip
NAMES: Final = ("type", "action", "sequence_number", "audio_data", "timestamp", "mime_type",
                "chunk_id", "", "x" * 300, "\0")  # fmt: skip
WHOLES: Final = (b"", b" ", b"null", b"[]", b"{}", b"1", b'"x"', b"{", b"[" * 200_000, b"{}{}",
                 b"\xef\xbb\xbf{}", b'{"type"}', b"\0" * 100, b"9" * 100_000)  # fmt: skip


def render(value: Any) -> str:
    """Write JSON, with raw text where there is some."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return _object(list(value.items()))
    if isinstance(value, list):
        return "[" + ",".join(map(render, value)) + "]"
    return json.dumps(value)


def _object(fields: list[tuple[str, Any]]) -> str:
    return "{" + ",".join(f"{json.dumps(name)}:{render(value)}" for name, value in fields) + "}"


def mutated(rng: Random, valid: dict[str, Any]) -> bytes:
    """Give a message with something wrong about it."""
    fields = list(valid.items())
    for _ in some(rng, 1, 3):
        place = rng.randrange(len(fields)) if fields else 0
        match rng.randrange(4):
            case 0 if fields:
                del fields[place]
            case 1:  # a second field of the same name
                name = fields[place][0] if fields and rng.random() < 0.6 else rng.choice(NAMES)
                fields.insert(place, (name, rng.choice(ODD)))
            case _ if fields:
                fields[place] = (fields[place][0], rng.choice(ODD))
    text = _object(fields).encode()
    return spoiled(rng, text) if rng.random() < 0.15 else text


def messages(rng: Random) -> Script:
    """Draw messages, nearly right, between some that are right."""
    steps: list[Step] = []
    for number in range(1, rng.randint(2, 8)):
        match rng.randrange(8):
            case 0:
                steps.append(frame(TEXT, rng.choice(WHOLES)))
            case 1:
                steps.append(chunk(number, bytes(640)))
            case 2:
                steps.append(frame(BINARY, mutated(rng, rng.choice(VALID))))
            case _:
                steps.append(frame(TEXT, mutated(rng, rng.choice(VALID))))
    return Script(tuple(steps), door="ws")
