"""Messages of the server: what a client reads of an event."""

from steno_common.messages import Session
from steno_common.public import Json, event_message, iso, partial_message, transcript_links

__all__ = ["event_message", "partial_message", "session_fields", "transcript_links"]


def session_fields(session: Session, status: str, *, seen_ms: int, chunks: int,
                   confirmed_text: str, partial_text: str = "") -> Json:  # fmt: skip
    """Give the session as `GET /api/streaming/sessions/{id}` shows it."""
    return {
        "session_id": session.session_id,
        "user_id": session.user_id,
        "status": status,
        "start_time": iso(session.created_ms),
        "last_activity": iso(seen_ms),
        "duration_limit": session.duration_limit,
        "audio_chunks_received": chunks,
        "partial_text": partial_text,
        "confirmed_text": confirmed_text,
        "metadata": session.metadata,
        "mime_type": session.mime_type,
        "language": session.language,
        "task": session.task,
        "websocket_url": f"/api/streaming/sessions/{session.session_id}/ws",
    }
