"""What a client's messages come to, in the order in which it takes effect."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Accepted:
    """A chunk as the client sent it."""

    sequence: int
    data: bytes
    at: float
    """Moment of its acceptance (s)."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A marker behind the chunks before it."""

    kind: Literal["finalize", "idle", "end"]


@dataclass(frozen=True, slots=True)
class Move:
    """A change of state behind the chunks before it."""

    to: str
    allowed: tuple[str, ...]


Item = Accepted | Mark | Move
