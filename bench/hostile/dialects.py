"""The doors of other protocols: their frames nearly right, wrong, or meant for another door."""

import base64
from random import Random
from typing import Any, Final

from bench.hostile.frames import BINARY, TEXT, drawn_frames, frame
from bench.hostile.messages import ODD, WHOLES, Raw, mutated, render
from bench.hostile.script import Ending, Script, Step, some

LIVE: Final = "/ws"
STATE: Final = "/st"
NAMED: Final = "/sendAudio"

ENDINGS: Final[tuple[Ending, ...]] = ("wait", "wait", "close", "reset")
WORDS: Final = (b"stop", b"finalize", b"ping", b"end", b" STOP\n", b"stop" * 30_000, b"", b"\0",
                b'{"type":"stop"}', b'{"type":["stop"]}', b'{"action":{"stop":1}}', b'{"type":"pi',
                "arrêt".encode())  # fmt: skip
QUERIES: Final = (b"language", b"task", b"prompt", b"hotwords", b"mime_type", b"sample_rate",
                  b"channels", b"duration_limit", b"partials", b"details", b"engines",
                  b"translations")  # fmt: skip
ODD_QUERIES: Final = (b"", b"1", b"true", b"es,fr", b"%00", b"%ff%fe", b"9" * 400, b"-1", b"1e9",
                      b"audio/webm%3Bcodecs%3Dopus", b"%F0%9F%92%A9", b"x" * 5_000, b",,,",
                      b"multi", b"%0d%0aX:%20y")  # fmt: skip
NAMES: Final[tuple[Any, ...]] = ("golden-eagle-427", "a", "Bär:7", "x" * 128, "x" * 129, "..", "",
                                 "5f0c2e1a-0000-4000-8000-000000000001", "a/b", "\0", *ODD[:12],
                                 Raw('"\\ud800"'))  # fmt: skip


def _address(rng: Random, path: str) -> str:
    """Give an address that asks for something, mostly for nothing that there is."""
    asked = [rng.choice(QUERIES) + b"=" + rng.choice(ODD_QUERIES)
             for _ in some(rng, 0, 3) if rng.random() < 0.3]  # fmt: skip
    return path + (b"?" + b"&".join(asked)).decode() if asked else path


def _audio(rng: Random, name: Any) -> dict[str, Any]:
    size = rng.choice([0, 1, 2, 3_199, 3_200, 3_200, 160_000, 160_002, 400_000])
    return {"action": "sendAudio", "sessionId": name, "timestamp": 1_699_500_000_000,
            "audioData": base64.b64encode(rng.randbytes(size)).decode()}  # fmt: skip


def _said(rng: Random) -> bytes:
    """One message of `/sendAudio`."""
    name = rng.choice(NAMES) if rng.random() < 0.4 else f"eagle-{rng.randrange(150)}"
    if rng.random() < 0.2:
        return render({"action": "endSession", "sessionId": name}).encode()
    audio = _audio(rng, name)
    if rng.random() < 0.1:
        audio |= {"sampleRate": rng.choice(ODD), "channels": rng.choice(ODD)}
    return mutated(rng, audio) if rng.random() < 0.4 else render(audio).encode()


def named(rng: Random) -> Script:
    """Draw a socket of named sessions: begun, ended, taken from one another, spoiled."""
    steps: list[Step] = []
    for _ in some(rng, 1, 12):
        draw = rng.random()
        if draw < 0.8:
            steps.append(frame(TEXT, _said(rng)))
        elif draw < 0.85:
            steps.append(frame(BINARY, _said(rng)))
        elif draw < 0.9:
            steps.append(frame(TEXT, rng.choice(WHOLES)))
        elif draw < 0.95:
            steps += drawn_frames(rng)
        else:
            steps.append(rng.choice([0.01, 0.1, 0.5]))
    if rng.random() < 0.1:
        crowd = ({"action": "endSession", "sessionId": f"e{n}"} for n in range(150))
        steps.append(b"".join(frame(TEXT, render(each).encode()) for each in crowd))
    return Script(tuple(steps), _address(rng, NAMED), ending=rng.choice(ENDINGS))


def live(rng: Random) -> Script:
    """Draw one who speaks, or says words, or sends what is neither."""
    steps: list[Step] = []
    for _ in some(rng, 1, 12):
        draw = rng.random()
        if draw < 0.5:
            size = rng.choice([0, 1, 2, 31, 640, 3_200, 3_201, 100_000, 1 << 20, (1 << 20) + 1])
            steps.append(frame(BINARY, rng.randbytes(size)))
        elif draw < 0.8:
            steps.append(frame(TEXT, rng.choice(WORDS)))
        elif draw < 0.9:
            steps.append(frame(TEXT, rng.choice(WHOLES)))
        else:
            steps += drawn_frames(rng)
    if rng.random() < 0.1:
        steps.append(frame(BINARY, b"\0") * 5_000)
    mute = rng.random() < 0.05
    return Script(tuple(steps), _address(rng, LIVE), ending=rng.choice(ENDINGS), mute=mute)


def watch(rng: Random) -> Script:
    """Draw one who is only to be told of the server's state, and has much to say."""
    steps: list[Step] = []
    for _ in some(rng, 0, 6):
        steps += drawn_frames(rng)
    if rng.random() < 0.2:
        steps.append(frame(TEXT, b"x") * 1_000)
    return Script(tuple(steps), _address(rng, STATE), ending=rng.choice(ENDINGS))
