"""Right messages in the wrong order, at the wrong pace, or cut off."""

from random import Random
from typing import Final

from bench.hostile.frames import PING, TEXT, chunk, frame
from bench.hostile.script import PATH, Script, Step, some

ACTIONS: Final = ("start", "pause", "resume", "stop", "finalize")


def opening(path: bytes) -> bytes:
    """Give the proper handshake of a WebSocket."""
    return (b"GET %b HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            % path)  # fmt: skip


def action(name: str) -> bytes:
    """Give an action as a frame."""
    return frame(TEXT, b'{"type":"client:control","action":"%b"}' % name.encode())


def _talk(rng: Random) -> list[bytes]:
    audio = [chunk(number, rng.randbytes(3_200)) for number in range(1, rng.randint(2, 15))]
    return [action("start"), *audio, action("stop")]


def orders(rng: Random) -> Script:
    """Draw actions and chunks in no order."""
    steps: list[Step] = []
    number = 0
    for _ in some(rng, 2, 40):
        if rng.random() < 0.4:
            number += rng.choice([0, 1, 1, 1, 2])
            steps.append(chunk(number, bytes(640)))
        else:
            steps.append(action(rng.choice(ACTIONS)))
    if rng.random() < 0.1:
        steps.append(action("finalize") * 3_000)
    return Script(tuple(steps), door="ws")


def ends(rng: Random) -> Script:
    """Draw a session that is cut off anywhere, in order or not."""
    data = b"".join(_talk(rng))
    place = rng.randrange(len(data))
    pause = rng.choice([0.0, 0.0, 0.02, 0.3])
    return Script((data[:place], pause), door="ws", ending=rng.choice(["close", "reset"]))


def slow(rng: Random) -> Script:
    """Draw one who sends a few bytes at a time, from the opening on."""
    data = (opening(PATH + b"/ws") if rng.random() < 0.5 else b"") + b"".join(_talk(rng))
    count, size = rng.randint(5, 30), rng.choice([1, 3, 40])
    steps: list[Step] = []
    for place in range(0, min(len(data), count * size), size):
        steps += [data[place : place + size], rng.choice([0.01, 0.05, 0.1])]
    return Script(tuple(steps), door="" if data.startswith(b"GET") else "ws",
                  ending=rng.choice(["wait", "close", "reset"]))  # fmt: skip


def mute(rng: Random) -> Script:
    """Draw one who asks much and reads nothing."""
    asked = frame(
        TEXT, b'{"type":"client:ping","timestamp":"' + b"x" * rng.choice([1, 250]) + b'"}'
    )
    steps = (asked * 300, frame(PING, bytes(125)) * 1_000, 0.5)
    return Script(steps, door="ws", ending=rng.choice(["close", "reset"]), mute=True)
