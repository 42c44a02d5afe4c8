"""What a client keeps of its session, so that it can go on when Redis has lost it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import msgspec

from steno_common.messages import Event, Final, Session, Translation, Utterance

Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 52)]
"""What a script still counts exactly."""


class Saved(msgspec.Struct, frozen=True, tag="saved.v1"):
    """Where a session stands behind chunk `done`: with its log all that is needed to go on.

    It travels through the client. Fields may be added with a default.
    """

    session: Session
    conn: Count = 0
    connections: Count = 0
    event: Count = 0
    """Events so far."""
    commits: Count = 0
    consumed: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,9}-[0-9]{1,9}\Z")] = "0-0"
    done: Count = 0
    offset: Count = 0
    """Samples through chunk `done`."""
    border: Count = 0
    context: Annotated[str, msgspec.Meta(max_length=4096)] = ""
    heard: Count = 0
    transcribed: Count = 0
    silence: Count = 0
    latency_ms: Count = 0
    """Sum over the finals that `latencies` counts."""
    latencies: Count = 0
    carried: Annotated[bytes, msgspec.Meta(max_length=4096)] = b""
    """State of the decoder behind chunk `done`."""
    hidden: Annotated[bytes, msgspec.Meta(max_length=65_536)] = b""
    """The session's own destinations, which are not for the client to read."""


@dataclass(frozen=True, slots=True)
class Told:
    """What of a session's state follows from its log."""

    open_from: int
    """Number of the first final of the open utterance, 0 if none is open."""
    last_end: int
    utterances: int
    finals: int
    translations: Mapping[int, Translation] = field(default_factory=dict)
    """By their numbers."""


def told_by(log: Sequence[Event]) -> Told:
    """Sum up a whole log, from event 1 on."""
    finals = {n: event for n, event in enumerate(log, 1) if isinstance(event, Final)}
    utterances = [event for event in log if isinstance(event, Utterance)]
    closed = utterances[-1].last_event if utterances else 0
    open_from = next((number for number in finals if number > closed), 0)
    last_end = max((final.end for final in finals.values()), default=0)
    translations = {n: event for n, event in enumerate(log, 1) if isinstance(event, Translation)}
    return Told(open_from, last_end, len(utterances), len(finals), translations)
