"""Messages between services: frozen structs in one tagged union, MessagePack on the wire.

Adding a field with a default keeps a tag; any other change is a new tag that is read beside the
old one. Golden bytes of every released message stay decodable (tests/contract/golden).

Positions and lengths are samples at 16 kHz, times of day are milliseconds since 1970.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from steno_common.errors import MessageError


class Word(msgspec.Struct, frozen=True, array_like=True):
    """One word of a result."""

    text: str
    start: int
    """First sample, counted from the start of the session."""
    end: int
    confidence: float
    """0 to 1."""
    speaker: str | None = None
    """Who said it: alike in words of one voice, as far as the engine tells; None: it does not."""


class Prosody(msgspec.Struct, frozen=True, array_like=True):
    """How a segment was spoken."""

    volume: float
    """0 to 1."""
    rate: float
    """0.5 to 2, 1 is ordinary."""
    energy: float
    """0 to 1."""


MANY_LANGUAGES = "multi"
"""Instead of a language: each segment may have another one."""


class Destination(msgspec.Struct, frozen=True):
    """Where events of a session are delivered to, in order, each at least once."""

    name: str
    """Unique in the session."""
    kind: Literal["webhook", "relay", "pipeline"]
    """What is sent: signed events, the texts between silences, or what a translator takes."""
    url: str = ""
    """Given with the session; empty: the installation's destination of this name."""
    secret: str = ""
    """Signs what is sent; empty: the installation's secret. Never logged."""
    events: tuple[str, ...] = ()
    """Kinds of events that are wanted; empty: the usual ones of the destination's kind."""
    answers: bool = False
    """A relay's receiver says what it has kept; else what it has read counts as taken."""


class Session(msgspec.Struct, frozen=True, tag="session.v1"):
    """What a session was created with; it never changes."""

    session_id: str
    created_ms: int
    mime_type: str
    """Format of binary chunks, with its parameters."""
    sample_rate: int | None = None
    channels: int | None = None
    language: str | None = None
    """BCP 47, `multi` for many, None if it is to be found."""
    duration_limit: int = 3600
    """Seconds of audio."""
    user_id: str | None = None
    metadata: dict[str, str] = {}
    task: Literal["transcribe", "translate"] | None = None
    """`translate`: to English."""
    prompt: str = ""
    """Text as if said before the session; never logged."""
    hotwords: tuple[str, ...] = ()
    """Words or names that are likely to be said; never logged."""
    trace: str = ""
    """W3C `traceparent` of the request that created it; empty: it is not traced."""
    name: str = ""
    """What its users call it, such as `golden-eagle-427`; empty: nothing but its id."""
    destinations: tuple[Destination, ...] = ()
    engines: tuple[str, ...] = ()
    """Engines that may recognise it, the first choice first; empty: as the installation says."""


class Partial(msgspec.Struct, frozen=True, tag="partial.v1"):
    """The words of the open segment; may change, is never stored.

    Without text it is for services alone: audio through `end` was heard, and no word was in it.
    """

    text: str
    words: tuple[Word, ...]
    start: int
    end: int
    confidence: float
    stability: float
    """Share of the words that successive hypotheses agree on, 0 to 1."""
    sequence_number: int
    """Last chunk covered."""
    commit: int
    """Commits of the session before this partial: one of an older commit is stale."""
    language: str | None = None
    processing_ms: int = 0
    created_ms: int = 0
    prosody: Prosody | None = None
    """Of the newest audio."""


class Final(msgspec.Struct, frozen=True, tag="final.v1"):
    """The words of a closed segment; never changes."""

    text: str
    words: tuple[Word, ...]
    start: int
    """First sample of speech."""
    end: int
    """Sample after the last one of speech."""
    confidence: float
    sequence_number: int
    """Last chunk covered."""
    commit: int
    language: str | None = None
    prosody: Prosody | None = None
    processing_ms: int = 0
    created_ms: int = 0


class Idle(msgspec.Struct, frozen=True, tag="idle.v1"):
    """The client sent nothing for the silence window; what was said before is an utterance."""

    position: int


class Ended(msgspec.Struct, frozen=True, tag="ended.v1"):
    """All audio of the session is committed; nothing but the transcript is still to come."""

    position: int


class Warned(msgspec.Struct, frozen=True, tag="warned.v1"):
    """Something the client should know; the session goes on."""

    code: str
    message: str
    start: int | None = None
    end: int | None = None
    """What of the audio it is about, None for nothing of it; equal where it is about all behind."""


class Status(msgspec.Struct, frozen=True, tag="status.v1"):
    """The session changed its state."""

    status: str


class Utterance(msgspec.Struct, frozen=True, tag="utterance.v1"):
    """The finals between two silences as one text."""

    index: int
    """Counted from 0 in the session."""
    text: str
    start: int
    end: int
    confidence: float
    first_event: int
    last_event: int
    """Numbers of the first and the last final in it."""
    language: str | None = None
    prosody: Prosody | None = None
    """Of its finals, weighed by their length."""


class Translation(msgspec.Struct, frozen=True, tag="translation.v1"):
    """The text of a final in another language, as a translation pipeline gave it."""

    language: str
    text: str
    event: int
    """Number of the final that it translates; 0: of none in particular."""
    created_ms: int = 0


class Statistics(msgspec.Struct, frozen=True):
    """Accounting of a session: received == transcribed + silence, in samples."""

    chunks: int
    received: int
    transcribed: int
    silence: int
    finals: int
    utterances: int
    mean_latency_ms: int
    """From the arrival of a segment's last chunk to its commit."""


class Completed(msgspec.Struct, frozen=True, tag="completed.v1"):
    """The transcript is saved; the last event of a session."""

    text: str
    statistics: Statistics
    formats: tuple[str, ...]
    """What can be downloaded: txt, json, srt, vtt."""


Event = Final | Idle | Ended | Warned | Status | Utterance | Translation | Completed
"""What the numbered log of a session holds."""

Message = Session | Partial | Event


@dataclass(frozen=True, slots=True)
class Numbered:
    """An event with its number in the session's log."""

    number: int
    event: Event


_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)


def encode(message: Message) -> bytes:
    """Give the MessagePack form: a map with the tag under `type`."""
    return _encoder.encode(message)


def decode(payload: Annotated[bytes, "MessagePack"]) -> Message:
    """Read any message of the union.

    Raises MessageError for everything else; the message quotes no payload.
    """
    try:
        return _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MessageError(f"not a message of this contract: {type(error).__name__}") from error
