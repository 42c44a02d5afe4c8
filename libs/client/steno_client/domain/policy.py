"""Limits of a client's patience."""

from dataclasses import dataclass
from typing import Final

DELAYS: Final = (1.0, 2.0, 4.0, 8.0, 16.0)


@dataclass(frozen=True, slots=True)
class Policy:
    """How long a session waits for what; all in seconds."""

    delays: tuple[float, ...] = DELAYS
    """Before each try in a row; after the last one the session is given up."""
    creation_seconds: float | None = None
    """Bound of all tries to create the session together; None: the delays alone."""
    connect_seconds: float = 30.0
    """Bound of one try to connect."""
    ping_seconds: float = 5.0
    dead_seconds: float = 15.0
    """A connection that says nothing for so long is dead."""
    stall_seconds: float = 30.0
    """A connection that leaves what was sent without an answer for so long is dead."""
    retry_seconds: float = 1.0
    """Pause after a refusal that tells none itself."""
    patience_seconds: float = 120.0
    """Refusals without any progress for so long end the session."""
    buffer_seconds: float = 60.0
    """Raw audio that may wait for `done` before `send` blocks."""
