"""Messages of the server: what a client reads of an event."""

from steno_common.messages import Session, Translation
from steno_common.public import (
    Json,
    event_message,
    iso,
    partial_message,
    transcript_links,
    translation_fields,
    utterance_fields,
)
from steno_common.units import to_seconds
from steno_common.utterances import join_text
from steno_gateway.domain.choice import Choice
from steno_gateway.domain.story import LAST, Segment, Story

__all__ = [
    "event_message",
    "partial_message",
    "session_fields",
    "snapshot_message",
    "transcript_links",
    "translation_message",
]


def _translated_fields(number: int, translation: Translation, segment: Segment | None) -> Json:
    return {
        **translation_fields(number, translation),
        "start_time": None if segment is None else to_seconds(segment.start),
        "end_time": None if segment is None else to_seconds(segment.end),
    }


def translation_message(
    session_id: str, number: int, translation: Translation, segment: Segment | None
) -> Json:
    """Give a `server:translation`; `segment` is the final that it translates, if it is of one."""
    fields = _translated_fields(number, translation, segment)
    return {"type": "server:translation", "session_id": session_id, **fields}


def snapshot_message(session_id: str, epoch: str, story: Story, choice: Choice) -> Json:
    """Give a `server:snapshot`: what a reader who joins late has missed."""
    message: Json = {
        "type": "server:snapshot",
        "session_id": session_id,
        "epoch": epoch,
        "event": story.told,
    }
    if choice.original:
        utterances = [{"event": n, **utterance_fields(each)} for n, each in story.utterances]
        message |= {"text": story.text, "utterances": utterances}
    message["translations"] = {
        language: {
            "text": join_text(each.translation.text for each in translated),
            "last": [
                _translated_fields(
                    each.number, each.translation, story.segments.get(each.translation.event)
                )
                for each in translated[-LAST:]
            ],
        }
        for language, translated in story.translations(choice).items()
    }
    return message


def session_fields(
    session: Session, status: str, *, seen_ms: int, chunks: int, confirmed_text: str,
    partial_text: str = "", engine: str = "",
) -> Json:  # fmt: skip
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
        "engines": session.engines,
        "engine": engine or None,
        "websocket_url": f"/api/streaming/sessions/{session.session_id}/ws",
    }
