"""What passes between the benchmark and the processes that make its load, as JSON."""

import msgspec


class SessionJob(msgspec.Struct, frozen=True):
    """One session: which plan, when."""

    index: int
    begin: float
    """Moment of its first sample, on the machine's monotonic clock."""
    seconds: float


class Job(msgspec.Struct, frozen=True):
    """What one process of load does."""

    url: str
    fixture: str
    seed: int
    chunk_samples: int
    drain_seconds: float
    """How long a session may take after its last sample."""
    sessions: list[SessionJob]


class SeenWord(msgspec.Struct, frozen=True):
    """A word with its bounds in seconds."""

    word: str
    start: float
    end: float


class SeenPartial(msgspec.Struct, frozen=True):
    """The first partial of a segment or a later one; seconds of the session."""

    at: float
    """Arrival, counted from the session's begin."""
    start: float
    end: float


class SeenFinal(msgspec.Struct, frozen=True):
    """A final; seconds of the session."""

    at: float
    """Arrival, counted from the session's begin."""
    event: int
    sequence: int
    """The chunk that holds the segment's last sample."""
    start: float
    end: float
    text: str
    words: list[SeenWord]


class SeenSession(msgspec.Struct):
    """All that a client saw."""

    index: int
    begin: float
    partials: list[SeenPartial] = msgspec.field(default_factory=list)
    finals: list[SeenFinal] = msgspec.field(default_factory=list)
    completed: bool = False
    statistics: dict[str, float] = msgspec.field(default_factory=dict)
    faults: list[str] = msgspec.field(default_factory=list)
    """Errors of the server, skipped segments, a lost connection, a time that was too long."""
    warnings: dict[str, int] = msgspec.field(default_factory=dict)
    """How often each other warning came, by its code."""
    late: float = 0.0
    """Most that a chunk was sent behind its time without the server's asking, in seconds."""
    held: float = 0.0
    """How long chunks had to wait for credit, in seconds."""
