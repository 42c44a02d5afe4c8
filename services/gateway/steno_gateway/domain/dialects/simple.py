"""The simple live protocol: audio in as binary frames, texts out as they are spoken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Final

import msgspec

from steno_common.public import Json
from steno_gateway.domain.client import Audio, ClientMessage, Control, Ping
from steno_gateway.domain.dialects.base import Manners
from steno_gateway.domain.errors import ClientError

_WORDS: Final[Mapping[str, ClientMessage]] = MappingProxyType(
    {
        "stop": Control("stop"),
        "end": Control("stop"),
        "finalize": Control("finalize"),
        "ping": Ping(),
    }
)
_PASSED_OVER: Final = {"latency_normal", "reconnections"}
"""Warnings without a word here: their news is good, or nothing that a client here can do."""


@dataclass(frozen=True, slots=True)
class Simple:
    """`/ws` and `/st`: texts, errors, the state of the server."""

    partials: bool = False
    """Also send texts that may still change."""
    details: bool = False
    """Say more of a text than the text."""
    manners: ClassVar[Manners] = Manners(waits=True, ends_with_client=True, told_of_state=True)

    def read(self, frame: str | bytes) -> Sequence[ClientMessage]:
        """Read audio, or one of few words, alone or as `type` or `action` of an object.

        An empty frame says nothing: recorders send such. Raises ClientError.
        """
        if isinstance(frame, bytes):
            return (Audio(frame),) if frame else ()
        word = _word_of(frame)
        if word not in _WORDS:
            raise ClientError("unknown_type", f"known words are {', '.join(_WORDS)}")
        return (_WORDS[word],)

    def word(self, message: Json, now: float, /) -> Sequence[Json]:
        """Say texts, errors, the server's state; all else goes without saying."""
        worded = self._fields(message)
        return () if worded is None else ({**worded, "timestamp": round(now, 3)},)

    def _fields(self, message: Json) -> Json | None:  # noqa: PLR0911 - one for each message
        match message["type"]:
            case "server:transcription_final":
                return self._text(message, "transcription")
            case "server:transcription_partial" if self.partials:
                return self._text(message, "partial")
            case "server:error":
                return _error(message)
            case "server:warning" if message["code"] not in _PASSED_OVER:
                return _error(message)
            case "server:state":
                return {"status": message["state"], "type": "status"}
            case "server:status" if message["status"] == "goaway":
                return {"type": "error", "error": "this server restarts", "code": "restart"}
            case "server:pong":
                return {"type": "pong"}
        return None

    def _text(self, message: Json, kind: str) -> Json:
        text: Json = {"text": message["text_content"], "type": kind}
        if self.details:
            text |= {"start": message["start_time"], "end": message["end_time"],
                     "confidence": message["confidence"], "language": message["language"],
                     "words": message["words"]}  # fmt: skip
        return text


def _error(message: Json) -> Json:
    return {"type": "error", "error": message["message"], "code": message["code"]}


def _word_of(frame: str) -> Any:
    """Give the word that a text frame holds, or whatever else it does."""
    if not frame.lstrip().startswith("{"):
        return frame.strip()[:64].lower()
    try:
        said = msgspec.json.decode(frame, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise ClientError("invalid_json", "a text frame is a word or one JSON object") from error
    word = said.get("type", said.get("action"))
    return word.lower() if isinstance(word, str) else None
