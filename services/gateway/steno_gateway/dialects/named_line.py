"""The line of one session among others on a socket, under the name of the session."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from steno_gateway.domain.client import ClientMessage, audio_of
from steno_gateway.domain.dialects.base import Heard
from steno_gateway.domain.errors import ClientError
from steno_gateway.line import QueuedLine

HAND_OVER_SECONDS: Final = 5.0
"""How long it may take to store what this line has for the next holder of its session."""
ENDING: Final = {"duration_limit", "too_many_chunks", "memory_exhausted", "session_finished"}
"""Errors after which a session takes no more, so that its name is free for another one."""


@dataclass(eq=False, slots=True)
class NamedLine(QueuedLine):
    """What one socket has to do with one session."""

    name: str
    session_id: str = ""
    """Empty until it is known."""
    ended: bool = False
    """Nothing more is taken: the name is free."""
    lost: bool = False
    """Another socket has the session now."""
    resting: bool = False
    """Nothing was said for so long that the session is no longer held."""
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the session is known, or there will be none."""
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once nothing of the line is served any more."""

    def put(self, messages: Sequence[ClientMessage], at: float, max_bytes: int) -> None:
        """Give the session what its client says; raises ClientError."""
        if self.lost:
            raise _superseded()
        size = sum(len(audio_of(each)) for each in messages)
        if self.inbox.full or self.inbox.audio_bytes + size > max_bytes:
            raise ClientError("backlog_full", "too much audio waits")
        self.inbox.put(Heard(at, messages), size)

    async def refuse(self, error: ClientError) -> None:
        """Tell an error, and note what it means for the line."""
        self.resting |= error.code == "idle_timeout"
        self.lost |= error.code == "connection_superseded"
        self.ended |= error.code in ENDING
        if not self.resting:
            await QueuedLine.refuse(self, error)

    def found(self, session_id: str) -> None:
        """Note which session it is."""
        self.session_id = session_id
        self.opened.set()

    def check_held(self) -> None:
        """Raise ClientError `connection_superseded` if the session was given up."""
        if self.lost:
            raise _superseded()

    def close(self) -> None:
        """Note that nothing more happens."""
        self.inbox.discard()
        self.opened.set()
        self.closed.set()

    async def hand_over(self) -> str:
        """Give the session up, once what was taken is stored; one that was ended stays here."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HAND_OVER_SECONDS):
                await self.opened.wait()
                if self.ended:
                    return self.session_id
                self.lost = True
                self.inbox.close()
                await self.closed.wait()
        return ""


def _superseded() -> ClientError:
    return ClientError("connection_superseded", "another socket has this session now")
