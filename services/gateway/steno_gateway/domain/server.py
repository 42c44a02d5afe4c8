"""Messages of the server: what a client reads of an event."""

from steno_common.messages import (
    Completed,
    Event,
    Final,
    Partial,
    Session,
    Status,
    Utterance,
    Warned,
)
from steno_common.public import (
    Json,
    iso,
    probability,
    prosody_fields,
    spoken_fields,
    statistics_fields,
    utterance_fields,
    word_fields,
)


def _result(session_id: str, kind: str, result: Partial | Final) -> Json:
    return {
        "type": f"server:transcription_{kind}",
        # A partial has the id of the final it becomes.
        "result_id": f"{session_id}:{result.start}",
        "session_id": session_id,
        "sequence_number": result.sequence_number,
        "result_type": kind,
        **spoken_fields(result),
        "processing_time_ms": result.processing_ms,
        "created_at": iso(result.created_ms),
        "words": word_fields(result.words),
    }


def partial_message(session_id: str, partial: Partial) -> Json:
    """Give a `server:transcription_partial`."""
    message = _result(session_id, "partial", partial)
    return {**message, "stability": probability(partial.stability)}


def _final_message(session_id: str, number: int, final: Final) -> Json:
    message = {**_result(session_id, "final", final), "event": number}
    if final.prosody is not None:
        message["prosody"] = prosody_fields(final.prosody)
    return message


def transcript_links(session_id: str, formats: tuple[str, ...]) -> Json:
    """Give the addresses of the saved transcript."""
    return {name: f"/api/transcripts/{session_id}.{name}" for name in formats}


def event_message(session_id: str, number: int, event: Event) -> Json | None:
    """Give the message of a numbered event; None for one that only services need."""
    match event:
        case Final():
            return _final_message(session_id, number, event)
        case Utterance():
            return {
                "type": "server:utterance",
                "event": number,
                "session_id": session_id,
                **utterance_fields(event),
            }
        case Status():
            return {"type": "server:status", "event": number, "status": event.status}
        case Warned():
            return {"type": "server:warning", "event": number, "code": event.code,
                    "message": event.message}  # fmt: skip
        case Completed():
            return {
                "type": "server:session_completed",
                "event": number,
                "session_id": session_id,
                "text": event.text,
                "statistics": statistics_fields(event.statistics),
                "downloads": transcript_links(session_id, event.formats),
            }
    return None


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
        "name": session.name,
        "mime_type": session.mime_type,
        "language": session.language,
        "task": session.task,
        "websocket_url": f"/api/streaming/sessions/{session.session_id}/ws",
    }
