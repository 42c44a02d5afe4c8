"""What can happen in a run: all that the oracle is told.

Times are seconds since the run began, positions in audio are seconds as a client reads them,
lengths are samples.
"""

from typing import Literal

import msgspec


class Said(msgspec.Struct, frozen=True):
    """A final, as far as it follows from the audio."""

    text: str
    start: float
    end: float
    words: tuple[tuple[str, float, float], ...]


class Heard(msgspec.Struct, frozen=True):
    """An utterance, as far as it follows from the audio."""

    text: str
    start: float
    end: float


class Counts(msgspec.Struct, frozen=True):
    """The accounting that a session ends with."""

    received: int
    transcribed: int
    silence: int
    finals: int
    utterances: int


class Run(msgspec.Struct, frozen=True, tag="run"):
    """The first line."""

    command: str
    seed: int
    lease: float
    """Seconds."""
    began: float
    """Unix time of the run's second 0."""
    deliveries: bool = False
    """What is saved must have been delivered too."""
    repeatable: bool = True
    """The same audio gives the same finals, whoever recognises it."""


Manner = Literal["whole", "leaving", "absent"]
"""`leaving`: goes away when all is stored, without a stop; `absent`: never connects."""


class Begun(msgspec.Struct, frozen=True, tag="session"):
    """A session exists."""

    session: int
    session_id: str
    manner: Manner
    listeners: int
    at: float


class Spoke(msgspec.Struct, frozen=True, tag="spoke"):
    """A client begins to say this, right behind what it has said before."""

    session: int
    text: str
    chunks: int
    samples: int
    at: float


class Sent(msgspec.Struct, frozen=True, tag="sent"):
    """A client has handed a chunk to its library."""

    session: int
    chunk: int
    at: float


class Acked(msgspec.Struct, frozen=True, tag="acked"):
    """The server has acknowledged up to these chunks."""

    session: int
    stored: int
    done: int
    at: float


class Final(msgspec.Struct, frozen=True, tag="final"):
    """A reader was given a final; reader 0 is the client, the others are listeners."""

    session: int
    reader: int
    number: int
    said: Said
    at: float


class Utterance(msgspec.Struct, frozen=True, tag="utterance"):
    """A reader was given an utterance."""

    session: int
    reader: int
    number: int
    heard: Heard
    at: float


class Notice(msgspec.Struct, frozen=True, tag="notice"):
    """A reader was told something else; without a number it comes from the client library."""

    session: int
    reader: int
    number: int | None
    said: str
    at: float


class Completed(msgspec.Struct, frozen=True, tag="completed"):
    """A reader was told that the session is complete."""

    session: int
    reader: int
    number: int
    text: str
    counts: Counts
    at: float


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """A client or listener gave up."""

    session: int
    reader: int
    error: str
    at: float


class Saved(msgspec.Struct, frozen=True, tag="saved"):
    """The transcript that lies in the archive."""

    session: int
    text: str
    finals: tuple[Said, ...]
    utterances: tuple[Heard, ...]
    counts: Counts


class Expected(msgspec.Struct, frozen=True, tag="expected"):
    """What the recogniser makes of the same audio alone."""

    session: int
    finals: tuple[Said, ...]
    utterances: tuple[Heard, ...]


class Taken(msgspec.Struct, frozen=True, tag="taken"):
    """A server that sessions are delivered to has taken something."""

    id: str
    """Of what was delivered; it begins with the id of its session."""
    at: float


class Fault(msgspec.Struct, frozen=True, tag="fault"):
    """A fault was done to a part."""

    label: str
    part: str
    at: float
    until: float


class Process(msgspec.Struct, frozen=True, tag="process"):
    """A process of a part started, or ended with this status."""

    part: str
    role: str
    start: int
    pid: int
    at: float
    status: int | None = None


class Claimed(msgspec.Struct, frozen=True, tag="claimed"):
    """A transcriber's log: it owns a session from here on."""

    tag: str
    """The hash under which logs speak of the session."""
    part: str
    start: int
    at: float


class Calm(msgspec.Struct, frozen=True, tag="calm"):
    """The last fault is over."""

    at: float


class Memory(msgspec.Struct, frozen=True, tag="memory"):
    """Resident memory of a process."""

    part: str
    role: str
    start: int
    mib: float
    at: float


class Left(msgspec.Struct, frozen=True, tag="left"):
    """Keys that Redis still holds after the lifetime of every session."""

    keys: tuple[str, ...]
    at: float


Record = (
    Run | Begun | Spoke | Sent | Acked | Final | Utterance | Notice | Completed | Failed | Saved
    | Expected | Taken | Fault | Process | Claimed | Calm | Memory | Left
)  # fmt: skip
