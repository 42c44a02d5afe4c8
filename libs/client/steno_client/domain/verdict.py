"""What a refusal means for the session."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

from steno_client.domain.messages import ServerError
from steno_client.errors import SessionError


class Verdict(Enum):
    """What to do about a `server:error`."""

    RESEND = auto()
    """Go on from the chunk that it names, after a pause."""
    REPEAT = auto()
    """Repeat what may not have arrived, after a pause."""
    TELL = auto()
    """Tell the user, go on."""
    END = auto()
    """The server takes no more audio; a transcript of what it has will come."""
    FAIL = auto()
    """The session is over."""


TOKEN_FAILURES: Final = frozenset({"token_expired", "unauthorized"})
"""What a new token of the session may help against."""
SUPERSEDED: Final = "connection_superseded"
"""Another connection holds the session now."""
LOSSES: Final = frozenset({"session_not_found", "audio_forgotten"})
"""What a server says that has lost a session, or a part of it."""
_ENDING: Final = frozenset({"duration_limit", "too_many_chunks", "memory_exhausted"})
_WHOLE_RECORDING_HELPS: Final = frozenset(
    {"audio_forgotten", "session_finished", "session_not_found", "too_many_reconnections"}
)
_CLOSE_CODES: Final[Mapping[int, tuple[str, str]]] = {
    1009: ("chunk_too_large", "the server takes no chunk of this size"),
    4400: ("invalid_session_id", "the server does not accept the session's name"),
    4401: ("unauthorized", "the server does not let this client in"),
    4403: ("forbidden", "the server does not let this client do that"),
    4404: ("session_not_found", "the server does not know the session"),
    4409: (SUPERSEDED, "another connection took the session over"),
}
_STATUS_CODES: Final[Mapping[int, tuple[str, str]]] = {
    400: _CLOSE_CODES[4400],
    401: _CLOSE_CODES[4401],
    403: _CLOSE_CODES[4401],
    404: _CLOSE_CODES[4404],
    409: ("session_finished", "the session has ended"),
}
_TRANSIENT_STATUS: Final = frozenset({408, 425, 429})


def verdict(error: ServerError) -> Verdict:
    """Decide about an error on the connection."""
    if error.code in _ENDING:
        return Verdict.END
    refused = error.resend_from is not None
    if error.code == "illegal_transition":
        return Verdict.RESEND if refused else Verdict.TELL
    if not error.retryable:
        return Verdict.FAIL
    return Verdict.RESEND if refused else Verdict.REPEAT


def pause_seconds(error: ServerError, default: float) -> float:
    """How long to send nothing after a refusal."""
    if error.retry_after_ms is not None:
        return error.retry_after_ms / 1000
    return 0.0 if error.code == "sequence_gap" else default


def failure_of(error: ServerError) -> SessionError:
    """The error as the user gets it."""
    after = None if error.retry_after_ms is None else error.retry_after_ms / 1000
    return SessionError(
        error.code, error.message or error.code, retryable=error.retryable, retry_after=after
    )


def close_failure(code: int | None) -> SessionError | None:
    """Why a closed connection is the last one; None if a new one is worth a try."""
    found = _CLOSE_CODES.get(code or 0)
    return None if found is None else SessionError(*found)


def status_failure(status: int) -> SessionError | None:
    """Why an HTTP status ends all tries; None if a new one is worth it."""
    if status in _STATUS_CODES:
        return SessionError(*_STATUS_CODES[status])
    if 400 <= status < 500 and status not in _TRANSIENT_STATUS:
        return SessionError("invalid_answer", f"the server answered with status {status}")
    return None


def whole_recording_helps(error: SessionError) -> bool:
    """Whether block mode can save a session that failed so."""
    return error.retryable or error.code in _WHOLE_RECORDING_HELPS
