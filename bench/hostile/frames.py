"""WebSocket frames, right and wrong."""

from random import Random
from typing import Final

from bench.hostile.script import Script, Step, some

TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10

MASK: Final = bytes([0x5A, 0x0F, 0xC3, 0x96])
LIES: Final = (1, 10, 1_000, 1 << 20, (1 << 20) * 3 // 2, (1 << 20) * 3 // 2 + 1, 1 << 31, 1 << 32,
               1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)  # fmt: skip
NO_UTF8: Final = (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"a\x80b",
                  b"\xf8\x88\x80\x80\x80", b"\xce\xba\xe1\xbd\xb9\xcf\x83\xed")  # fmt: skip


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True,
    announced: int | None = None, form: int = 0,
) -> bytes:  # fmt: skip
    """Give one frame.

    `announced` is the length that it claims; `form` 126 or 127 writes it longer than need be.
    """
    size = len(payload) if announced is None else announced
    form = form or (size if size < 126 else 126 if size < 1 << 16 else 127)
    head = bytes([fin << 7 | rsv << 4 | opcode, masked << 7 | form])
    if form == 126:
        head += (size & 0xFFFF).to_bytes(2)
    elif form == 127:
        head += size.to_bytes(8)
    return head + (MASK + _masked(payload) if masked else payload)


def _masked(payload: bytes) -> bytes:
    mask = (MASK * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload) ^ int.from_bytes(mask)).to_bytes(len(payload))


def chunk(number: int, audio: bytes) -> bytes:
    """Give a chunk of audio as a frame."""
    return frame(BINARY, (number & 0xFFFFFFFF).to_bytes(4) + audio)


def _length(rng: Random) -> list[bytes]:
    payload = rng.randbytes(rng.randrange(200))
    if rng.random() < 0.4:
        return [frame(rng.choice([TEXT, BINARY]), payload, form=rng.choice([126, 127]))]
    return [frame(rng.choice([TEXT, BINARY, PING]), payload, announced=rng.choice(LIES),
                  form=127)]  # fmt: skip


def _control(rng: Random) -> list[bytes]:
    opcode, size = rng.choice([CLOSE, PING, PONG]), rng.choice([0, 1, 125, 126, 127, 70_000])
    fin = rng.random() < 0.6
    return [frame(opcode, rng.randbytes(size), fin=fin) for _ in some(rng, 1, 30)]


def _fragments(rng: Random) -> list[bytes]:
    """Fragments that begin nowhere, never end, or run into each other."""
    return [
        frame(rng.choice([0, 0, 0, TEXT, BINARY, PING]), rng.randbytes(rng.randrange(120)),
              fin=rng.random() < 0.3)
        for _ in some(rng, 1, 12)
    ]  # fmt: skip


def _confetti(rng: Random) -> list[bytes]:
    """Ten thousand tiny fragments of one message."""
    size, last = rng.choice([0, 1]), rng.random() < 0.7
    tiny = frame(0, b"x" * size, fin=False)
    return [frame(rng.choice([TEXT, BINARY]), b"{", fin=False) + tiny * 10_000,
            frame(0, b"", fin=last)]  # fmt: skip


def _no_utf8(rng: Random) -> list[bytes]:
    wrong = b'{"type":"' + rng.choice(NO_UTF8) + b'"}'
    if rng.random() < 0.5:
        return [frame(TEXT, wrong)]
    place = rng.randrange(len(wrong))
    return [frame(TEXT, wrong[:place], fin=False), frame(0, wrong[place:])]


def _close(rng: Random) -> list[bytes]:
    code = rng.choice([0, 1, 999, 1000, 1004, 1005, 1006, 1012, 1015, 2999, 3000, 4999, 65_535])
    reason = rng.choice([b"", b"bye", rng.choice(NO_UTF8), b"x" * 123])
    payload = rng.choice([b"", b"\x03", code.to_bytes(2) + reason])
    after = [chunk(1, bytes(100)), frame(CLOSE, b""), rng.randbytes(50)]
    return [frame(CLOSE, payload), *rng.sample(after, rng.randrange(4))]


def _bits(rng: Random) -> list[bytes]:
    payload = rng.randbytes(rng.randrange(100))
    return [frame(rng.randrange(16), payload, rsv=rng.randrange(8), masked=rng.random() < 0.5)]


def _garbage(rng: Random) -> list[bytes]:
    return [rng.randbytes(rng.choice([1, 2, 10, 1_000, 100_000]))]


def _large(rng: Random) -> list[bytes]:
    size = rng.choice(
        [(1 << 20) - 4, 1 << 20, (1 << 20) + 4, (1 << 20) + 5, (1 << 20) * 3 // 2 + 1]
    )
    return [frame(rng.choice([TEXT, BINARY]), bytes(3) + b"\x01" + b" " * (size - 4))]


def _right(rng: Random) -> list[bytes]:
    ping = frame(TEXT, b'{"type":"client:ping","timestamp":1}')
    return [ping, chunk(rng.randint(1, 2), bytes(3_200))]


KINDS: Final = (_length, _control, _fragments, _no_utf8, _close, _bits, _garbage, _right)
RARE: Final = (_confetti, _large)


def drawn_frames(rng: Random) -> list[bytes]:
    """Draw some frames that belong together, and that no client would send."""
    return (rng.choice(RARE) if rng.random() < 0.04 else rng.choice(KINDS))(rng)


def frames(rng: Random) -> Script:
    """Draw frames that no client would send."""
    steps: list[Step] = []
    for _ in some(rng, 1, 5):
        steps += drawn_frames(rng)
    door = "listen" if rng.random() < 0.2 else "ws"
    return Script(tuple(steps), door=door)
