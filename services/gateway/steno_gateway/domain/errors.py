"""What a client can be told, with its HTTP status, its close code, and whether to try again."""

from dataclasses import dataclass
from typing import Any, Final

from steno_common.errors import StenoError


@dataclass(frozen=True, slots=True)
class Fault:
    """How one error code is spoken in HTTP and on a WebSocket."""

    http: int = 400
    close: int | None = None
    """Close code, or None if the session goes on."""
    retryable: bool = False


FAULTS: Final = {
    "invalid_request": Fault(),
    "unauthorized": Fault(401, 4401),
    "token_expired": Fault(401, 4401),
    "forbidden": Fault(403, 4403),
    "origin_not_allowed": Fault(403),
    "request_timeout": Fault(408, retryable=True),
    "invalid_json": Fault(),
    "invalid_message": Fault(),
    "unknown_type": Fault(),
    "invalid_session_id": Fault(close=4400),
    "invalid_destination": Fault(),
    "session_not_found": Fault(404, 4404),
    "session_finished": Fault(409),
    "event_not_found": Fault(404),
    "too_many_translations": Fault(413),
    "invalid_checkpoint": Fault(422),
    "connection_superseded": Fault(409, 4409),
    "illegal_transition": Fault(409),
    "sequence_gap": Fault(409, retryable=True),
    "invalid_sequence": Fault(),
    "empty_chunk": Fault(),
    "chunk_too_large": Fault(413, 1009),
    "too_many_chunks": Fault(413),
    "unsupported_format": Fault(415),
    "invalid_audio_format": Fault(400),
    "format_mismatch": Fault(415),
    "undecodable_audio": Fault(422, 1008),
    "backlog_full": Fault(503, retryable=True),
    "unknown_engine": Fault(422),
    "rate_limited": Fault(429, retryable=True),
    "duration_limit": Fault(413),
    "too_many_sessions": Fault(503, 1013, retryable=True),
    "overloaded": Fault(503, 1013, retryable=True),
    "memory_exhausted": Fault(503),
    "too_many_connections": Fault(429, 1013, retryable=True),
    "quota_exceeded": Fault(429, 1013, retryable=True),
    "too_many_messages": Fault(429, 1008),
    "too_many_reconnections": Fault(429, 1008),
    "idle_timeout": Fault(408, 4408, retryable=True),
    "slow_reader": Fault(408, 1008, retryable=True),
    "transcript_not_found": Fault(404),
    "letter_not_found": Fault(404),
    "store_unavailable": Fault(503, 1013, retryable=True),
    "internal": Fault(500, 1011, retryable=True),
}
"""Every code of docs/protocol.md section 6."""


class ClientError(StenoError):
    """Something that the client is told as `server:error`."""

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(message, code=code)
        self.fault = FAULTS[code]
        self.retryable = self.fault.retryable
        self.details = details
        """Further fields of the message, such as `resend_from`."""

    def as_message(self) -> dict[str, Any]:
        """Give the `server:error`, which is the body of an HTTP error too."""
        return {
            "type": "server:error",
            "code": self.code,
            "message": self.message,
            "retryable": self.retryable,
            **self.details,
        }


@dataclass(slots=True)
class Complaints:
    """What a connection was told of errors, counted."""

    errors: int = 0
    refused_chunks: int = 0
    """Of these, chunks that were to be sent again."""

    def note(self, error: ClientError) -> None:
        """Count an error."""
        self.errors += 1
        self.refused_chunks += "resend_from" in error.details
