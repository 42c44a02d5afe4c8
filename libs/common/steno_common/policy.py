"""Which engines may recognise a session, as its shard keeps it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

NAME: Final = r"^[a-z0-9][a-z0-9_.-]{0,31}\Z"
"""What an engine may be called in a policy."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One engine of a policy."""

    engine: str
    rests_until_ms: int = 0
    """It failed for this session, and does not take it before this time of Redis."""


def pack(engines: Sequence[str], grace_ms: int) -> str:
    """Give the form that scripts read, for a session that waits; empty: any engine may take it.

    Each choice waits `grace_ms` longer than the one before it. Raises ValueError for a name that is
    none.
    """
    if not all(re.match(NAME, engine) for engine in engines):
        raise ValueError("not the name of an engine")
    return " ".join([str(grace_ms), *(f"{engine}=0" for engine in engines)]) if engines else ""


def unpack(text: str) -> tuple[Choice, ...]:
    """Read that form as scripts leave it."""
    pairs = (word.split("=") for word in text.split()[1:])
    return tuple(Choice(engine, int(rests)) for engine, rests in pairs)
