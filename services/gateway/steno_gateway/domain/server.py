"""Messages of the server: what a client reads of an event."""

from datetime import UTC, datetime
from typing import Any

from steno_common.messages import (
    Completed,
    Event,
    Final,
    Partial,
    Session,
    Statistics,
    Status,
    Utterance,
    Warned,
    Word,
)
from steno_common.units import to_seconds

Json = dict[str, Any]


def iso(milliseconds: int) -> str:
    """Give a time of day in ISO 8601 with milliseconds, UTC."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _words(words: tuple[Word, ...]) -> list[Json]:
    return [
        {
            "word": word.text,
            "start": to_seconds(word.start),
            "end": to_seconds(word.end),
            "confidence": round(word.confidence, 3),
        }
        for word in words
    ]


def _result(session_id: str, kind: str, result_id: str, result: Partial | Final) -> Json:
    return {
        "type": f"server:transcription_{kind}",
        "result_id": result_id,
        "session_id": session_id,
        "sequence_number": result.sequence_number,
        "result_type": kind,
        "text_content": result.text,
        "confidence": round(result.confidence, 3),
        "start_time": to_seconds(result.start),
        "end_time": to_seconds(result.end),
        "language": result.language,
        "processing_time_ms": result.processing_ms,
        "created_at": iso(result.created_ms),
        "words": _words(result.words),
    }


def partial_message(session_id: str, partial: Partial) -> Json:
    """Give a `server:transcription_partial`; its id is that of the segment it belongs to."""
    result_id = f"{session_id}:{partial.start}"
    message = _result(session_id, "partial", result_id, partial)
    return {**message, "stability": round(partial.stability, 3)}


def _final_message(session_id: str, number: int, final: Final) -> Json:
    message = _result(session_id, "final", f"{session_id}:{final.start}", final)
    message["event"] = number
    if final.prosody is not None:
        volume, rate, energy = final.prosody.volume, final.prosody.rate, final.prosody.energy
        message["prosody"] = {"volume": volume, "rate": rate, "energy": energy}
    return message


def statistics_message(statistics: Statistics) -> Json:
    """Give the accounting of a session in seconds and samples."""
    counted = {name: getattr(statistics, name) for name in ("received", "transcribed", "silence")}
    return {
        "audio_chunks": statistics.chunks,
        **{f"{name}_seconds": to_seconds(value) for name, value in counted.items()},
        **{f"{name}_samples": value for name, value in counted.items()},
        "finals": statistics.finals,
        "utterances": statistics.utterances,
        "mean_latency_ms": statistics.mean_latency_ms,
    }


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
                "index": event.index,
                "text_content": event.text,
                "start_time": to_seconds(event.start),
                "end_time": to_seconds(event.end),
                "confidence": round(event.confidence, 3),
                "language": event.language,
                "first_event": event.first_event,
                "last_event": event.last_event,
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
                "statistics": statistics_message(event.statistics),
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
        "mime_type": session.mime_type,
        "language": session.language,
        "websocket_url": f"/api/streaming/sessions/{session.session_id}/ws",
    }
