"""Clients read events in seconds, times of day, and names of the protocol."""

from steno_common.messages import (
    Completed,
    Ended,
    Final,
    Idle,
    Partial,
    Prosody,
    Session,
    Statistics,
    Status,
    Utterance,
    Warned,
    Word,
)
from steno_common.public import iso
from steno_gateway.domain.server import event_message, partial_message, session_fields

WORDS = (Word("hello", 16_000, 24_000, 0.98765), Word("there", 24_000, 32_000, 0.5))
WORDS_READ = [
    {"word": "hello", "start": 1.0, "end": 1.5, "confidence": 0.988},
    {"word": "there", "start": 1.5, "end": 2.0, "confidence": 0.5},
]


def test_a_time_of_day_is_read_in_utc_with_milliseconds() -> None:
    assert iso(0) == "1970-01-01T00:00:00.000Z"
    assert iso(1_700_000_000_123) == "2023-11-14T22:13:20.123Z"


def test_a_partial_is_read_without_a_number() -> None:
    partial = Partial("hello there", WORDS, 16_000, 32_000, 0.7, 0.55555, 9, 2, "en", 12, 0)
    assert partial_message("s", partial) == {
        "type": "server:transcription_partial", "result_id": "s:16000", "session_id": "s",
        "sequence_number": 9, "result_type": "partial", "text_content": "hello there",
        "confidence": 0.7, "start_time": 1.0, "end_time": 2.0, "language": "en",
        "processing_time_ms": 12, "created_at": "1970-01-01T00:00:00.000Z", "words": WORDS_READ,
        "stability": 0.556,
    }  # fmt: skip


def test_a_final_is_read_with_its_number_and_prosody() -> None:
    final = Final("hello there", WORDS, 16_000, 32_000, 0.9, 11, 3, None, Prosody(0.5, 1.0, 0.25))
    assert event_message("s", 4, final) == {
        "type": "server:transcription_final", "event": 4, "result_id": "s:16000",
        "session_id": "s", "sequence_number": 11, "result_type": "final",
        "text_content": "hello there", "confidence": 0.9, "start_time": 1.0, "end_time": 2.0,
        "language": None, "processing_time_ms": 0, "created_at": "1970-01-01T00:00:00.000Z",
        "words": WORDS_READ, "prosody": {"volume": 0.5, "rate": 1.0, "energy": 0.25},
    }  # fmt: skip


def test_a_word_is_read_with_its_speaker_where_that_is_told() -> None:
    words = (Word("hello", 16_000, 24_000, 0.5, "0"), Word("there", 24_000, 32_000, 0.5))
    told = [
        {"word": "hello", "start": 1.0, "end": 1.5, "confidence": 0.5, "speaker": "0"},
        {"word": "there", "start": 1.5, "end": 2.0, "confidence": 0.5},
    ]
    final = event_message("s", 1, Final("hello there", words, 16_000, 32_000, 0.5, 1, 1))
    assert final is not None
    assert final["words"] == told
    partial = Partial("hello there", words, 16_000, 32_000, 0.5, 1.0, 1, 0)
    assert partial_message("s", partial)["words"] == told


def test_a_partial_and_the_final_of_its_segment_share_an_id() -> None:
    partial = Partial("a", (), 800, 1_600, 1.0, 1.0, 1, 0)
    final = Final("a", (), 800, 1_600, 1.0, 1, 1)
    message = event_message("s", 1, final)
    assert message is not None
    assert message["result_id"] == partial_message("s", partial)["result_id"]
    assert "prosody" not in message


def test_an_utterance_names_the_events_it_is_made_of() -> None:
    utterance = Utterance(2, "good morning", 8_000, 40_000, 0.9, 5, 7, "en")
    assert event_message("s", 8, utterance) == {
        "type": "server:utterance", "event": 8, "session_id": "s", "index": 2,
        "text_content": "good morning", "start_time": 0.5, "end_time": 2.5, "confidence": 0.9,
        "language": "en", "first_event": 5, "last_event": 7,
    }  # fmt: skip


def test_states_and_warnings_are_read_with_their_number() -> None:
    assert event_message("s", 1, Status("paused")) == {
        "type": "server:status", "event": 1, "status": "paused",
    }  # fmt: skip
    assert event_message("s", 2, Warned("segment_skipped", "no text")) == {
        "type": "server:warning", "event": 2, "code": "segment_skipped", "message": "no text",
    }  # fmt: skip
    assert event_message("s", 2, Warned("segment_skipped", "no text", 8_000, 16_000)) == {
        "type": "server:warning", "event": 2, "code": "segment_skipped", "message": "no text",
        "start_time": 0.5, "end_time": 1.0,
    }  # fmt: skip


def test_the_end_is_read_with_its_accounting_and_addresses() -> None:
    statistics = Statistics(10, 48_000, 32_000, 16_000, 3, 2, 250)
    message = event_message("s", 9, Completed("all of it", statistics, ("txt", "srt")))
    assert message == {
        "type": "server:session_completed", "event": 9, "session_id": "s", "text": "all of it",
        "statistics": {
            "audio_chunks": 10, "received_seconds": 3.0, "transcribed_seconds": 2.0,
            "silence_seconds": 1.0, "received_samples": 48_000, "transcribed_samples": 32_000,
            "silence_samples": 16_000, "finals": 3, "utterances": 2, "mean_latency_ms": 250,
        },
        "downloads": {"txt": "/api/transcripts/s.txt", "srt": "/api/transcripts/s.srt"},
    }  # fmt: skip


def test_what_only_services_need_is_not_told() -> None:
    assert event_message("s", 1, Idle(16_000)) is None
    assert event_message("s", 2, Ended(16_000)) is None


def test_a_session_is_shown_with_its_address() -> None:
    session = Session("s", 1_000, "audio/pcm", language="en", user_id="u", metadata={"k": "v"},
                      engines=("whisper", "aws"))  # fmt: skip
    shown = session_fields(session, "recording", seen_ms=2_000, chunks=3, confirmed_text="so far",
                           engine="aws")  # fmt: skip
    assert shown == {
        "session_id": "s", "user_id": "u", "status": "recording",
        "start_time": "1970-01-01T00:00:01.000Z", "last_activity": "1970-01-01T00:00:02.000Z",
        "duration_limit": 3600, "audio_chunks_received": 3, "partial_text": "",
        "confirmed_text": "so far", "metadata": {"k": "v"}, "name": "", "mime_type": "audio/pcm",
        "language": "en", "task": None, "engines": ("whisper", "aws"), "engine": "aws",
        "websocket_url": "/api/streaming/sessions/s/ws",
    }  # fmt: skip
