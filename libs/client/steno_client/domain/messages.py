"""The texts of the protocol as values, in both directions."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final as Constant
from typing import Literal

from steno_client.domain.events import (
    Completed,
    Final,
    Partial,
    Status,
    Translation,
    Utterance,
    Warned,
)
from steno_client.domain.fields import Fields
from steno_client.domain.reading import (
    read_completed,
    read_final,
    read_partial,
    read_translation,
    read_utterance,
    read_warned,
)

Action = Literal["start", "pause", "resume", "stop", "finalize"]


@dataclass(frozen=True, slots=True)
class Created:
    """The server's first words on a connection: where it stands."""

    session_id: str
    status: str
    epoch: str = ""
    sequence_number: int = 0
    """Highest chunk stored."""
    done: int = 0
    """Highest chunk transcribed."""
    credit: int = 0
    last_event: int = 0
    resend_from: int = 1
    container: bool = False
    token: str | None = None
    """Newer than the one that the connection was opened with."""
    checkpoints: bool = False
    """Whether checkpoints will come."""


@dataclass(frozen=True, slots=True)
class Ack:
    """How far the server is; everything cumulative."""

    sequence_number: int
    done: int
    credit: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where the session stands, in a form for servers alone."""

    done: int
    last_event: int
    state: str
    log: str = ""
    """The events behind those of the checkpoint before."""


@dataclass(frozen=True, slots=True)
class GoAway:
    """This connection ends soon; another gateway will take the next one."""

    in_ms: int


@dataclass(frozen=True, slots=True)
class ServerError:
    """Something the server did not do."""

    code: str
    message: str
    retryable: bool
    resend_from: int | None = None
    retry_after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A new token of the session, for the next connection."""

    token: str


@dataclass(frozen=True, slots=True)
class Pong:
    """Answer to a ping."""


ServerMessage = (
    Created
    | Ack
    | Checkpoint
    | Partial
    | Final
    | Utterance
    | Translation
    | Status
    | GoAway
    | Warned
    | ServerError
    | Completed
    | Pong
    | Token
)


def parse(text: str) -> ServerMessage | None:
    """Read a message of the server; None for a type that this client does not know.

    Raises MessageError for what is not a message.
    """
    fields = Fields.read(text)
    reader = _READERS.get(fields.text("type"))
    return None if reader is None else reader(fields)


def control(action: Action) -> str:
    """Build a control message."""
    return json.dumps({"type": "client:control", "action": action})


def ping(timestamp: float) -> str:
    """Build a ping; the timestamp comes back."""
    return json.dumps({"type": "client:ping", "timestamp": timestamp})


def chunk_frame(number: int, audio: bytes) -> bytes:
    """Build a binary frame: the number in four bytes, big-endian, then the audio."""
    return number.to_bytes(4, "big") + audio


def read_error(fields: Fields) -> ServerError:
    """Read a `server:error`, or the body of an HTTP error."""
    return ServerError(
        fields.text("code"),
        fields.text("message", ""),
        fields.flag("retryable"),
        fields.optional_integer("resend_from"),
        fields.optional_integer("retry_after_ms"),
    )


def _read_created(fields: Fields) -> Created:
    return Created(
        session_id=fields.text("session_id"),
        status=fields.text("status", ""),
        epoch=fields.text("epoch", ""),
        sequence_number=fields.integer("sequence_number", 0),
        done=fields.integer("done", 0),
        credit=fields.integer("credit", 0),
        last_event=fields.integer("last_event", 0),
        resend_from=fields.integer("resend_from", 1),
        container=fields.flag("container"),
        token=fields.optional_text("token"),
        checkpoints=fields.flag("checkpoints"),
    )


def _read_ack(fields: Fields) -> Ack:
    return Ack(fields.integer("sequence_number"), fields.integer("done"), fields.integer("credit"))


def _read_checkpoint(fields: Fields) -> Checkpoint:
    return Checkpoint(
        fields.integer("done"),
        fields.integer("last_event"),
        fields.text("state"),
        fields.text("log", ""),
    )


def _read_status(fields: Fields) -> Status | GoAway:
    status = fields.text("status")
    if status == "goaway":
        return GoAway(fields.integer("in_ms", 0))
    return Status(status, fields.optional_integer("event"))


_READERS: Constant[Mapping[str, Callable[[Fields], ServerMessage]]] = {
    "server:session_created": _read_created,
    "server:ack": _read_ack,
    "server:checkpoint": _read_checkpoint,
    "server:transcription_partial": read_partial,
    "server:transcription_final": read_final,
    "server:utterance": read_utterance,
    "server:translation": read_translation,
    "server:status": _read_status,
    "server:warning": read_warned,
    "server:error": read_error,
    "server:session_completed": read_completed,
    "server:pong": lambda _: Pong(),
    "server:token": lambda fields: Token(fields.text("token")),
}
