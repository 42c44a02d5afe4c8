"""What a transcriber tells others through Redis: how a session measures, how it stands itself."""

from typing import Final

import msgspec

from steno_common.messages import Prosody


class Measured(msgspec.Struct, frozen=True):
    """All of a session up to a commit; fields may be added with a default."""

    at_ms: int = 0
    """When, by the clock of Redis."""
    worker: str = ""
    """Name of the transcriber that holds the session, as in the registry of workers."""
    prosody: Prosody | None = None
    """Of the newest audio; None: it was not measured."""
    quality: float | None = None
    """Of the audio around the newest speech, 0 to 1."""
    words: int = 0
    """In finals."""
    confidence: float = 0.0
    """Mean of their confidences, each final weighed by its words."""
    engine_seconds: float = 0.0
    """Time of the engine that the session took."""
    lost_chunks: int = 0
    """Chunks with speech that has no text."""
    failures: int = 0
    """Segments that the engine failed on, or that were passed over."""


_NOTHING: Final = Measured()
_decoder = msgspec.msgpack.Decoder(Measured)


def encode_measured(measured: Measured) -> bytes:
    """Give the form in the hash."""
    return msgspec.msgpack.encode(measured)


def decode_measured(payload: bytes | None) -> Measured:
    """Read the field; what is not there, or of an unknown version, says nothing."""
    if not payload:
        return _NOTHING
    try:
        return _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _NOTHING


class GpuUse(msgspec.Struct, frozen=True):
    """The GPU that a worker uses, with all that use it."""

    name: str
    utilisation: float
    """Share of the last moment in which it was at work."""
    used_bytes: int
    total_bytes: int


class Report(msgspec.Struct, frozen=True):
    """How a worker stands; fields may be added with a default."""

    room: int
    """Sessions that it would take at once."""
    hard_room: int
    """Sessions that it would take if nobody else does: its partials would get rarer."""
    strained: bool
    """It needs more than it has: it gives sessions up to those with room."""
    sessions: int = 0
    demand: float = 0.0
    """Share of its engine that its sessions need."""
    lag: float = 0.0
    """Seconds that the audio of its sessions waits."""
    cpu_percent: float = 0.0
    """Of one core."""
    memory_bytes: int = 0
    gpu: GpuUse | None = None
    engine: str = ""
    """What policies call its engine."""
    guests: int = 0
    """Sessions that it would give back to an engine they prefer."""
    away: bool = False
    """Its engine fails for all: nobody else's session should come to it."""
