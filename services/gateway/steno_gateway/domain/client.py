"""Messages of a client: parsed once, refused with the reason."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec

from steno_common.policy import NAME
from steno_gateway.domain.destinations import MOST as MOST_DESTINATIONS
from steno_gateway.domain.destinations import DestinationRequest
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.languages import MAX_TAG, TAG

_Body = TypeVar("_Body")

MAX_METADATA: Final = 16
MAX_PROMPT: Final = 1_000
MAX_HOTWORDS: Final = 100
MAX_HOTWORD: Final = 64
MAX_TIMESTAMP: Final = 64
MAX_TRANSLATION: Final = 5_000
"""Characters, several times what is said in the longest segment."""
MAX_EVENT: Final = 1 << 48
MAX_ENGINES: Final = 8

_Short = Annotated[str, msgspec.Meta(max_length=256)]
_Language = Annotated[str, msgspec.Meta(pattern=r"^(multi|[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)\Z")]
"""BCP 47, or `multi`: each segment may have another one."""
_Engine = Annotated[str, msgspec.Meta(pattern=NAME)]
_Number = Annotated[int, msgspec.Meta(ge=-(1 << 31), lt=1 << 31)]
"""Of what can be stored at all; what makes sense for a format, the format says."""
_Hotword = Annotated[
    str, msgspec.Meta(max_length=MAX_HOTWORD, pattern=r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f]*\Z")
]
"""Something to be seen, without control characters."""


class AudioChunk(msgspec.Struct, frozen=True, tag="client:audio_chunk"):
    """Audio with its place in the session."""

    sequence_number: int
    audio_data: bytes
    """Base64 in JSON."""
    timestamp: float | str | None = None
    mime_type: str | None = None
    chunk_id: str | None = None


class Control(msgspec.Struct, frozen=True, tag="client:control"):
    """An action on the session."""

    action: Literal["start", "pause", "resume", "stop", "finalize"]


class Ping(msgspec.Struct, frozen=True, tag="client:ping"):
    """A sign of life; what it holds is sent back, so it is short."""

    timestamp: float | Annotated[str, msgspec.Meta(max_length=MAX_TIMESTAMP)] | None = None


@dataclass(frozen=True, slots=True)
class Audio:
    """Audio of a client that does not number its chunks: it comes behind what came before."""

    data: bytes


NativeMessage = AudioChunk | Control | Ping
ClientMessage = NativeMessage | Audio


def audio_of(message: ClientMessage) -> bytes:
    """Give the audio in a message, nothing if it has none."""
    match message:
        case AudioChunk():
            return message.audio_data
        case Audio():
            return message.data
    return b""


_messages: msgspec.json.Decoder[NativeMessage] = msgspec.json.Decoder(NativeMessage)


class SessionRequest(msgspec.Struct, frozen=True):
    """Body of `POST /api/streaming/sessions`; prompt and hotwords are never logged."""

    mime_type: _Short = "audio/webm;codecs=opus"
    sample_rate: _Number | None = None
    channels: _Number | None = None
    language: _Language | None = None
    duration_limit: Annotated[int, msgspec.Meta(ge=60, le=3600)] = 3600
    user_id: _Short | None = None
    metadata: Annotated[dict[_Short, _Short], msgspec.Meta(max_length=MAX_METADATA)] = {}
    task: Literal["transcribe", "translate"] | None = None
    prompt: Annotated[str, msgspec.Meta(max_length=MAX_PROMPT)] = ""
    hotwords: Annotated[tuple[_Hotword, ...], msgspec.Meta(max_length=MAX_HOTWORDS)] = ()
    destinations: Annotated[
        tuple[DestinationRequest, ...], msgspec.Meta(max_length=MOST_DESTINATIONS)
    ] = ()
    """Where its results are delivered, beside the destinations of the installation."""
    engines: Annotated[tuple[_Engine, ...], msgspec.Meta(max_length=MAX_ENGINES)] = ()
    """Engines that may recognise it, the first choice first; empty: as the installation says."""
    checkpoints: bool = False
    """The client keeps what it takes to go on if Redis loses everything."""


class TokenRequest(msgspec.Struct, frozen=True):
    """Body of `POST /api/streaming/sessions/{id}/tokens`."""

    right: Literal["speak", "listen", "translate"] = "speak"


class TranslationRequest(msgspec.Struct, frozen=True):
    """Body of `POST /api/streaming/sessions/{id}/translations`; its text is never logged."""

    language: Annotated[str, msgspec.Meta(max_length=MAX_TAG, pattern=TAG)]
    text: Annotated[str, msgspec.Meta(max_length=MAX_TRANSLATION)]
    event: Annotated[int, msgspec.Meta(ge=0, le=MAX_EVENT)] = 0
    """Number of the final that it translates; 0: of none in particular."""
    timestamp: Annotated[int, msgspec.Meta(ge=1, le=MAX_EVENT)] | None = None
    """In place of that number: when the final was made (ms), as pipelines are told."""
    epoch: _Short = ""
    """The life of the session that `event` is of; empty: the present one."""


_QUERY_FIELDS: Final = ("mime_type", "language", "task", "prompt", "user_id")
_METADATA: Final = "metadata."
_QUERY_NUMBERS: Final = ("sample_rate", "channels", "duration_limit")

_requests = msgspec.json.Decoder(SessionRequest)
_token_requests = msgspec.json.Decoder(TokenRequest)
_translations = msgspec.json.Decoder(TranslationRequest)


def parse_message(text: str) -> NativeMessage:
    """Read a text frame; raises ClientError."""
    try:
        return _messages.decode(text)
    except msgspec.ValidationError as error:
        where = str(error)
        unknown = where.startswith("Invalid") and where.endswith(("`$.type`", "`$.action`"))
        code = "unknown_type" if unknown else "invalid_message"
        raise ClientError(code, where[:200]) from error
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise ClientError("invalid_json", "a text frame must be one JSON object") from error


def parse_frame(frame: bytes) -> AudioChunk:
    """Read a binary frame: 4 bytes big-endian sequence number, then audio."""
    if len(frame) < 4:
        raise ClientError("invalid_message", "a binary frame begins with 4 bytes of its number")
    return AudioChunk(int.from_bytes(frame[:4]), frame[4:])


def parse_request(body: bytes) -> SessionRequest:
    """Read the body of a session request, empty for all defaults; raises ClientError."""
    return _read_body(_requests, body)


def parse_token_request(body: bytes) -> TokenRequest:
    """Read the body of a token request, empty for all defaults; raises ClientError."""
    return _read_body(_token_requests, body)


def parse_translation(body: bytes) -> TranslationRequest:
    """Read the body of a translation; raises ClientError."""
    asked = _read_body(_translations, body)
    if asked.event and asked.timestamp is not None:
        raise ClientError("invalid_message", "either `event` or `timestamp` names the final")
    return asked


def _read_body(decoder: msgspec.json.Decoder[_Body], body: bytes) -> _Body:
    try:
        return decoder.decode(body if body.strip() else b"{}")
    except msgspec.ValidationError as error:
        raise ClientError("invalid_message", str(error)[:200]) from error
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise ClientError("invalid_json", "the body must be one JSON object") from error


def request_of_query(mime_type: str, query: Iterable[tuple[str, str]]) -> SessionRequest:
    """Read what an address says of a session; each `hotwords` is one, of others the first counts.

    `engines` has commas between them, `metadata.room` is the `room` of the metadata; `mime_type` is
    what the audio is if the address does not say. Raises ClientError.
    """
    fields: dict[str, Any] = {"hotwords": [], "metadata": {}}
    for name, value in query:
        if name == "hotwords":
            fields[name].append(value)
        elif name.startswith(_METADATA):
            fields["metadata"].setdefault(name.removeprefix(_METADATA), value)
        elif name == "engines":
            fields.setdefault(name, [each.strip() for each in value.split(",") if each.strip()])
        elif name in _QUERY_FIELDS:
            fields.setdefault(name, value)
        elif name in _QUERY_NUMBERS:
            whole = value.isascii() and value.isdecimal() and len(value) < 16
            fields.setdefault(name, int(value) if whole else value)
    try:
        return msgspec.convert({"mime_type": mime_type, **fields}, SessionRequest)
    except msgspec.ValidationError as error:
        raise ClientError("invalid_message", str(error)[:200]) from error
