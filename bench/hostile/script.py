"""What one hostile connection does: drawn from a seed, played by anybody."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final, Literal

Step = bytes | float
"""Bytes to send, or seconds to wait."""
Ending = Literal["wait", "close", "reset"]

SESSION: Final = b"$SESSION"
"""Stands in the bytes of a script for the id of a session, which only the server can give."""
PATH: Final = b"/api/streaming/sessions/" + SESSION
"""Of that session."""


@dataclass(frozen=True, slots=True)
class Script:
    """One connection from its beginning to its end."""

    steps: tuple[Step, ...]
    door: str = ""
    """Opened by a proper handshake first: `ws` or `listen` of a new session, or a whole path;
    "": the steps begin on a bare connection."""
    mime_type: str = "audio/pcm"
    """Of the session."""
    ending: Ending = "wait"
    """Whether the server is given time to answer before the connection is closed."""
    mute: bool = False
    """Whether nothing is ever read."""

    @property
    def path(self) -> bytes:
        """Of the door."""
        door = self.door.encode()
        return door if not door or door.startswith(b"/") else PATH + b"/" + door


Draw = Callable[[Random], Script]
"""A kind of hostility."""


def some(rng: Random, least: int, most: int) -> range:
    """Give a range of a drawn length."""
    return range(rng.randint(least, most))


def cut(rng: Random, data: bytes, pieces: int) -> list[bytes]:
    """Cut bytes at drawn places."""
    places = sorted(rng.randrange(len(data) + 1) for _ in range(pieces - 1))
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


def spoiled(rng: Random, data: bytes) -> bytes:
    """Change bytes: flipped, taken out, put in, doubled, cut off, set to one value."""
    spoilt = bytearray(data)
    for _ in some(rng, 1, 6):
        place = rng.randrange(len(spoilt) + 1)
        size = min(len(spoilt) - place, rng.choice([1, 1, 2, 4, 8, 100, 1_000]))
        match rng.randrange(6):
            case 0:
                for _ in some(rng, 1, 20):
                    if spoilt:
                        spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
            case 1:
                del spoilt[place : place + size]
            case 2:
                spoilt[place:place] = rng.randbytes(size)
            case 3:
                spoilt[place:place] = spoilt[place : place + size]
            case 4:
                if rng.random() < 0.3:
                    del spoilt[place:]
            case _:
                spoilt[place : place + size] = bytes([rng.choice([0, 0xFF, 0x7F])]) * size
    return bytes(spoilt)
