"""What all streams of the service share: who may open them, how many, what came of them."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol
from uuid import uuid4

from tests.fake_transcribe.behaviours import Rule, behaviour_of
from tests.fake_transcribe.errors import STARTED_AGAIN, TOO_MANY, ServiceError
from tests.fake_transcribe.hearing import Listen
from tests.fake_transcribe.journal import Journal, StreamRecord
from tests.fake_transcribe.signing import DEFAULT, Credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of the service; the defaults are those that are documented."""

    idle_seconds: float = 15.0
    """Longest time without new audio."""
    stream_seconds: float = 4 * 3_600.0
    """Most audio in a stream."""
    streams: int = 25
    """At the same time."""
    event_bytes: int = 32 * 1024
    """Most audio in an event."""
    heartbeat_seconds: float = 5.0
    """Audio without anything to say behind which an event without results is sent."""
    window_bytes: int = 65_536
    """What a client may send of a stream before the service has understood it."""
    pace: float = float("inf")
    """Most seconds of audio that are taken in a second; what comes faster has to wait."""


class Terminable(Protocol):
    """A stream that can be ended from outside."""

    def terminate(self, error: ServiceError) -> None:
        """Let it end with an error."""


@dataclass(slots=True, kw_only=True)
class Service:
    """The service; everything but the journal may be changed while it runs."""

    listen: Listen
    limits: Limits = field(default_factory=Limits)
    credentials: Sequence[Credentials] = (DEFAULT,)
    rules: Sequence[Rule] = ()
    """The first one that covers a stream says how it is served."""
    vocabularies: frozenset[str] | None = None
    """Names of the vocabularies that are there; None: every name."""
    keep_audio: bool = False
    clock: Callable[[], float] = time.time
    """Seconds since 1970, for signatures."""
    journal: Journal = field(default_factory=Journal)
    ended: Callable[[StreamRecord], None] = lambda _record: None
    """Is told of every stream that has ended."""
    _open: dict[str, Terminable] = field(default_factory=dict)

    def begin(self, connection: int) -> StreamRecord:
        """Record a request."""
        number = len(self.journal.streams) + 1
        record = StreamRecord(
            number,
            connection,
            behaviour_of(number, self.rules),
            asyncio.get_running_loop().time(),
            str(uuid4()),
            kept=bytearray() if self.keep_audio else None,
        )
        self.journal.streams.append(record)
        return record

    @contextmanager
    def admitted(self, session_id: str, stream: Terminable) -> Iterator[None]:
        """Hold a place for a stream; an older one of the same session is terminated.

        Raises ServiceError if all places are taken.
        """
        older = self._open.get(session_id)
        if older is None and len(self._open) >= self.limits.streams:
            raise ServiceError("LimitExceededException", TOO_MANY)
        if older is not None:
            older.terminate(ServiceError("ConflictException", STARTED_AGAIN))
        self._open[session_id] = stream
        self.journal.most_open = max(self.journal.most_open, len(self._open))
        try:
            yield
        finally:
            if self._open.get(session_id) is stream:
                del self._open[session_id]
