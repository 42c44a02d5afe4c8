"""What every dialect is: frames in its words to our messages, our messages to its words.

A later protocol is one more module of this kind. There is one pipeline behind all of them: whatever
a dialect says becomes a message of `domain/client.py`, whatever a client is told begins as a
message of the native protocol.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from steno_common.public import Json
from steno_gateway.domain.client import ClientMessage
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.intake import Bucket

UNBOUNDED: Final = 1e9
"""A rate that is none, of chunks a second."""
CLOCK_DRIFT: Final = 1.01
"""A client that keeps to a rate by its own clock is not refused because that clock is fast."""
AGAIN_SECONDS: Final = 5
"""Of audio that a client sends again at once."""


@dataclass(frozen=True, slots=True)
class Manners:
    """What sets a protocol apart beside its words."""

    waits: bool = False
    """Its clients know no credit, so chunks wait for room instead of being refused."""
    ends_with_client: bool = False
    """Nobody comes back to a session: a client that leaves has said all."""
    told_of_state: bool = False
    """Clients are warned when this server cannot work as it should."""
    chunks_per_second: float | None = None
    """Of one session, with a second's worth at once; None: as the settings say."""
    sends_again: bool = False
    """Its clients send what was not acknowledged once more: so much more may come at once."""
    queued_bytes: int | None = None
    """Audio of one session that may wait for Redis; None: as the settings say."""

    def chunk_bucket(self, usual: float, following: int) -> Bucket:
        """Give the rate of a session's chunks, of which the next is number `following`."""
        if self.waits:
            return Bucket(UNBOUNDED, UNBOUNDED)  # room alone sets the pace
        if self.chunks_per_second is not None:
            at_once = self.chunks_per_second * (AGAIN_SECONDS if self.sends_again else 1)
            return Bucket(self.chunks_per_second * CLOCK_DRIFT, max(at_once, 1))
        # A container comes again from its first chunk: that is no burst to be refused.
        return Bucket(usual, 4 * usual + following)


@dataclass(frozen=True, slots=True)
class Heard:
    """What one frame of a client comes to."""

    at: float
    """Moment of its receipt (s)."""
    messages: Sequence[ClientMessage]
    error: ClientError | None = None
    """Why it could not be read."""


class Dialect(Protocol):
    """One protocol, with what one of its clients has chosen."""

    @property
    def manners(self) -> Manners:
        """How its clients are to be treated."""

    def read(self, frame: str | bytes) -> Sequence[ClientMessage]:
        """Read a text frame or a binary one; raises ClientError."""

    def word(self, message: Json, now: float, /) -> Sequence[Json]:
        """Say a message of the native protocol at `now` (s since 1970); nothing has no words."""
