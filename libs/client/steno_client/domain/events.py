"""What a session tells its user; times are seconds from the first audio sample."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a result."""

    text: str
    start: float
    end: float
    confidence: float
    """0 to 1."""
    speaker: str | None = None
    """Who said it: alike in words of one voice; None: the engine does not tell."""


@dataclass(frozen=True, slots=True)
class Prosody:
    """How it sounds."""

    volume: float
    """0 to 1."""
    rate: float
    """0.5 to 2, 1 is ordinary."""
    energy: float
    """0 to 1."""


@dataclass(frozen=True, slots=True)
class Partial:
    """The open segment's words so far; takes the place of the partial before it."""

    text: str
    start: float
    end: float
    confidence: float
    stability: float
    """0 to 1: how much of it will stay."""
    language: str | None = None
    words: tuple[Word, ...] = ()
    sequence_number: int = 0
    """Last chunk covered."""
    prosody: Prosody | None = None
    """Of the newest audio."""


@dataclass(frozen=True, slots=True)
class Final:
    """The words of a closed segment; never changes."""

    event: int
    text: str
    start: float
    end: float
    confidence: float
    language: str | None = None
    words: tuple[Word, ...] = ()
    prosody: Prosody | None = None
    sequence_number: int = 0
    """Last chunk covered."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """The finals between two silences as one text."""

    event: int
    index: int
    """Counted from 0 in the session."""
    text: str
    start: float
    end: float
    confidence: float
    language: str | None = None
    first_event: int = 0
    last_event: int = 0
    """Numbers of the first and the last final in it."""
    prosody: Prosody | None = None
    """Of its finals, weighed by their length."""


@dataclass(frozen=True, slots=True)
class Translation:
    """A text of the session in another language; it may come after Completed."""

    event: int
    language: str
    text: str
    of: int = 0
    """Number of the final that it translates; 0: of none in particular."""
    start: float | None = None
    end: float | None = None
    """Of that final."""


@dataclass(frozen=True, slots=True)
class Status:
    """The session changed its state.

    Without a number it comes from the client: `reconnecting` when the connection is lost,
    `block_mode` when the recording will be sent as a whole.
    """

    status: str
    event: int | None = None


@dataclass(frozen=True, slots=True)
class Warned:
    """Something the user should know; the session goes on."""

    code: str
    message: str
    event: int | None = None
    start: float | None = None
    end: float | None = None
    """Where in the audio, None if it is about no place there; equal: all from there on."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Accounting of a session: received == transcribed + silence."""

    audio_chunks: int = 0
    received_seconds: float = 0.0
    transcribed_seconds: float = 0.0
    silence_seconds: float = 0.0
    received_samples: int = 0
    transcribed_samples: int = 0
    silence_samples: int = 0
    """Samples at 16 kHz."""
    finals: int = 0
    utterances: int = 0
    mean_latency_ms: float = 0.0
    """From the arrival of a segment's last chunk to its stored final."""


@dataclass(frozen=True, slots=True)
class Completed:
    """The transcript is saved; the last event of a session, but for translations."""

    event: int
    session_id: str
    text: str
    statistics: Statistics = Statistics()
    downloads: Mapping[str, str] = field(default_factory=dict)
    """Address of each format on the server: txt, json, srt, vtt."""
    utterances: tuple[Utterance, ...] = ()
    warnings: tuple[Warned, ...] = ()
    """Those with a number, in their order: `segment_skipped` says where there is no text."""


Event = Partial | Final | Utterance | Translation | Status | Warned | Completed
