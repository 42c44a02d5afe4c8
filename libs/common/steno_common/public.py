"""Results as users read them: seconds, ISO 8601, and the field names of docs/protocol.md."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from steno_common.messages import (
    Completed,
    Event,
    Partial,
    Prosody,
    Statistics,
    Status,
    Translation,
    Utterance,
    Warned,
    Word,
)
from steno_common.messages import Final as FinalEvent
from steno_common.units import to_seconds

Json = dict[str, Any]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def iso(milliseconds: int) -> str:
    """Give a time of day in ISO 8601 with milliseconds, UTC."""
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def time_of_day(milliseconds: int) -> str:
    """Give HH:MM:SS.mmm of a time of day, UTC."""
    return (_EPOCH + timedelta(milliseconds=milliseconds)).time().isoformat("milliseconds")


def probability(value: float) -> float:
    """Give a confidence or stability, rounded."""
    return round(value, 3)


def spoken_fields(result: Partial | FinalEvent | Utterance) -> Json:
    """Give what partials, finals and utterances have in common; `prosody` where it is measured."""
    prosody = prosody_fields(result.prosody)
    return {
        "text_content": result.text,
        "start_time": to_seconds(result.start),
        "end_time": to_seconds(result.end),
        "confidence": probability(result.confidence),
        "language": result.language,
        **({} if prosody is None else {"prosody": prosody}),
    }


def word_fields(words: tuple[Word, ...]) -> list[Json]:
    """Give the words of a result; `speaker` where the engine tells voices apart."""
    return [
        {
            "word": word.text,
            "start": to_seconds(word.start),
            "end": to_seconds(word.end),
            "confidence": probability(word.confidence),
            **({} if word.speaker is None else {"speaker": word.speaker}),
        }
        for word in words
    ]


def prosody_fields(prosody: Prosody | None) -> Json | None:
    """Give how a segment was spoken, None if it was not measured."""
    return None if prosody is None else msgspec.structs.asdict(prosody)


def utterance_fields(utterance: Utterance) -> Json:
    """Give an utterance."""
    return {
        "index": utterance.index,
        **spoken_fields(utterance),
        "first_event": utterance.first_event,
        "last_event": utterance.last_event,
    }


def warning_fields(warning: Warned) -> Json:
    """Give a warning; its times where it is about a place in the audio."""
    fields: Json = {"code": warning.code, "message": warning.message}
    if warning.start is not None and warning.end is not None:
        fields |= {"start_time": to_seconds(warning.start), "end_time": to_seconds(warning.end)}
    return fields


def statistics_fields(statistics: Statistics) -> Json:
    """Give the accounting of a session in seconds and samples."""
    counted = {name: getattr(statistics, name) for name in ("received", "transcribed", "silence")}
    return {
        "audio_chunks": statistics.chunks,
        **{f"{name}_seconds": to_seconds(samples) for name, samples in counted.items()},
        **{f"{name}_samples": samples for name, samples in counted.items()},
        "finals": statistics.finals,
        "utterances": statistics.utterances,
        "mean_latency_ms": statistics.mean_latency_ms,
    }


def _result(session_id: str, kind: str, result: Partial | FinalEvent) -> Json:
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


def _final_message(session_id: str, number: int, final: FinalEvent) -> Json:
    return {**_result(session_id, "final", final), "event": number}


def transcript_links(session_id: str, formats: tuple[str, ...]) -> Json:
    """Give the addresses of the saved transcript."""
    return {name: f"/api/transcripts/{session_id}.{name}" for name in formats}


def event_message(session_id: str, number: int, event: Event) -> Json | None:
    """Give what clients read of a numbered event; None for one that only services need."""
    match event:
        case FinalEvent():
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
            return {"type": "server:warning", "event": number, **warning_fields(event)}
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


def translation_fields(number: int, translation: Translation) -> Json:
    """Give a translation; `of` is the number of the final that it translates."""
    return {
        "event": number,
        "language": translation.language,
        "text_content": translation.text,
        "of": translation.event,
        "created_at": iso(translation.created_ms),
    }


def translation_message(session_id: str, number: int, translation: Translation) -> Json:
    """Give what is told of a translation to who knows nothing of the final it translates."""
    fields = translation_fields(number, translation)
    return {"type": "server:translation", "session_id": session_id, **fields}
