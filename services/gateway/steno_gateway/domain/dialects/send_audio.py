"""The `/sendAudio` protocol: chunks of many sessions on one socket, each under its own name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

import msgspec

from steno_common.public import Json
from steno_common.units import SAMPLE_BYTES, SAMPLE_RATE
from steno_gateway.domain.client import Audio, AudioChunk, ClientMessage, Control
from steno_gateway.domain.dialects.base import Manners
from steno_gateway.domain.errors import FAULTS, ClientError
from steno_gateway.domain.names import NAME_PATTERN, is_name

_Name = Annotated[str, msgspec.Meta(pattern=NAME_PATTERN)]


class _SendAudio(msgspec.Struct, frozen=True, tag_field="action", tag="sendAudio"):
    """Audio of a session; what is said of its format must be what there is."""

    sessionId: _Name  # noqa: N815 - the protocol's name
    audioData: bytes  # noqa: N815
    timestamp: float | str | None = None
    sampleRate: Literal[16_000] | None = None  # noqa: N815
    channels: Literal[1] | None = None


class _Numbered(_SendAudio, frozen=True, tag_field="action", tag="sendAudio"):
    """The same from a client that is told what is stored."""

    sequenceNumber: int | None = None  # noqa: N815


class _EndSession(msgspec.Struct, frozen=True, tag_field="action", tag="endSession"):
    """Nothing more will come of a session."""

    sessionId: _Name  # noqa: N815


class _Named(msgspec.Struct, frozen=True):
    """Whatever it is that a session is told."""

    sessionId: _Name  # noqa: N815


_messages = msgspec.json.Decoder(_SendAudio | _EndSession)
_numbered = msgspec.json.Decoder(_Numbered | _EndSession)
_names = msgspec.json.Decoder(_Named)

_NAME_RULE: Final = "sessionId: 1 to 128 letters, digits and _.:@~-"

_FORMAT_FIELDS: Final = ("`$.audioData`", "`$.sampleRate`", "`$.channels`")
_CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "rate_limited": "RATE_LIMIT_EXCEEDED",
        "backlog_full": "BUFFER_FULL",
        "unknown_type": "UNKNOWN_ACTION",
    }
)
"""Codes that are called otherwise here; the others are the native ones in capitals."""


@dataclass(frozen=True, slots=True)
class SendAudio:
    """`/sendAudio`, as one session of a socket speaks it; without a name the socket itself."""

    name: str = ""
    chunks_per_second: float = 10.0
    buffer_seconds: float = 5.0
    details: bool = False
    """Say of an error which session it is of, and when to try again."""
    acks: bool = False
    """Say what is stored, and take the numbers that a client gives its chunks."""

    @property
    def manners(self) -> Manners:
        """How its clients are to be treated."""
        return Manners(told_of_state=True, chunks_per_second=self.chunks_per_second,
                       sends_again=self.acks, queued_bytes=self.buffer_bytes)  # fmt: skip

    @property
    def buffer_bytes(self) -> int:
        """Audio of a session that may wait."""
        return round(self.buffer_seconds * SAMPLE_RATE) * SAMPLE_BYTES

    def read(self, frame: str | bytes) -> Sequence[ClientMessage]:
        """Read what is said to one session, whichever; raises ClientError."""
        return self.address(frame)[1]

    def address(self, frame: str | bytes) -> tuple[str, Sequence[ClientMessage]]:
        """Read a frame: the name of a session with what is said to it; raises ClientError."""
        said = _parsed(frame, _numbered if self.acks else _messages)
        if not is_name(said.sessionId):
            raise ClientError("invalid_session_id", _NAME_RULE)
        if isinstance(said, _EndSession):
            return said.sessionId, (Control("stop"),)
        size = len(said.audioData)
        if size == 0 or size % SAMPLE_BYTES:
            raise ClientError("invalid_audio_format", "no whole number of 16-bit samples")
        if size > self.buffer_bytes:
            raise ClientError("chunk_too_large", f"a chunk has at most {self.buffer_seconds:g} s")
        number = said.sequenceNumber if isinstance(said, _Numbered) else None
        if number is None:
            return said.sessionId, (Audio(said.audioData),)
        return said.sessionId, (AudioChunk(number, said.audioData),)

    def name_in(self, frame: str | bytes) -> str:
        """Give the name in a frame that was refused; nothing where there is none to be read."""
        try:
            return _names.decode(frame).sessionId if isinstance(frame, str) else ""
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            return ""

    def word(self, message: Json, _now: float, /) -> Sequence[Json]:
        """Say texts, translations, warnings, errors, the end of a session, what is stored."""
        worded = self._worded(message)
        return () if worded is None else (worded,)

    def _worded(self, message: Json) -> Json | None:  # noqa: PLR0911 - one for each message
        match message["type"]:
            case "server:transcription_final":
                return self._transcript(message, stability=1.0)
            case "server:transcription_partial":
                return self._transcript(message, stability=message["stability"])
            case "server:error":
                return self._error(message)
            case "server:warning" if message["code"] != "reconnections":
                return {"type": "warning", "sessionId": self.name,
                        "code": message["code"].upper(), "message": message["message"]}  # fmt: skip
            case "server:status" if message["status"] == "goaway":
                return _refusal("SERVER_RESTARTING", "This server restarts; connect again.", 503)
            case "server:session_completed":
                return {"type": "sessionEnded", "sessionId": self.name, "id": message["session_id"],
                        "transcriptText": message["text"]}  # fmt: skip
            case "server:translation":
                return self._translation(message)
            case "server:session_created" | "server:ack" if self.acks:
                return {"type": "ack", "sessionId": self.name,
                        "sequenceNumber": message["sequence_number"],
                        "done": message["done"]}  # fmt: skip
        return None

    def _transcript(self, message: Json, *, stability: float) -> Json:
        transcript = {
            "type": "transcript",
            "sessionId": self.name,
            "sourceLanguage": message["language"],
            "transcriptText": message["text_content"],
            "isPartial": message["result_type"] == "partial",
            "stabilityScore": stability,
            "timestamp": _milliseconds(message["created_at"]),
            "startTime": message["start_time"],
            "endTime": message["end_time"],
        }
        if (prosody := message.get("prosody")) is not None:
            transcript["emotionDynamics"] = prosody
        return transcript

    def _translation(self, message: Json) -> Json:
        return {
            "type": "translation",
            "sessionId": self.name,
            "targetLanguage": message["language"],
            "translatedText": message["text_content"],
            "timestamp": _milliseconds(message["created_at"]),
            "startTime": message["start_time"],
            "endTime": message["end_time"],
        }

    def _error(self, message: Json) -> Json:
        code = message["code"]
        told = _refusal(_CODES.get(code, code.upper()), self._sentence(message), FAULTS[code].http)
        if self.details or self.acks:
            told |= {"sessionId": self.name, "retryAfterMs": message.get("retry_after_ms")}
        if self.acks and "resend_from" in message:
            told["resendFrom"] = message["resend_from"]
        return told

    def _sentence(self, message: Json) -> str:
        match message["code"]:
            case "invalid_audio_format":
                return "Audio must be PCM 16kHz mono"
            case "rate_limited":
                return f"Too many audio chunks. Max {self.chunks_per_second:g} per second."
            case "backlog_full":
                return f"Audio buffer is full. Max {self.buffer_seconds:g} seconds."
        sentence: str = message["message"]
        return sentence


def _refusal(code: str, message: str, status: int) -> Json:
    return {"type": "error", "code": code, "message": message, "statusCode": status}


def _parsed(
    frame: str | bytes, decoder: msgspec.json.Decoder[Any]
) -> _SendAudio | _Numbered | _EndSession:
    if isinstance(frame, bytes):
        raise ClientError("invalid_message", "audio comes as JSON, action sendAudio")
    try:
        said: _SendAudio | _Numbered | _EndSession = decoder.decode(frame)
    except msgspec.ValidationError as error:
        where = str(error)
        if where.endswith(_FORMAT_FIELDS):
            raise ClientError("invalid_audio_format", where[:200]) from error
        if where.endswith("`$.sessionId`") or "field `sessionId`" in where:
            raise ClientError("invalid_session_id", _NAME_RULE) from error
        if where.endswith("`$.action`") or "field `action`" in where:
            reason = "known actions are sendAudio, endSession"
            raise ClientError("unknown_type", reason) from error
        raise ClientError("invalid_message", where[:200]) from error
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise ClientError("invalid_json", "a frame is one JSON object") from error
    return said


def _milliseconds(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)
