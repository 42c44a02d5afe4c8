"""Each format is what public parsers of it read."""

import html
from datetime import timedelta
from io import StringIO

import msgspec
import srt as srt_parser
import webvtt
from hypothesis import given, settings
from tests.unit.aggregator.building import final, numbered, spoken, transcript, word

from steno_aggregator.domain.cues import Cue, clean, cues
from steno_aggregator.domain.formats import clock, render, srt, vtt
from steno_common.messages import Ended, Final, Status, Translation, Utterance, Warned

SAID = transcript(
    numbered(
        [
            Status("connected"),
            final(1, 2, "Hello there.", [word("Hello", 1, 1.5), word("there.", 1.5, 2)]),
            final(2.5, 3, "You & <me>"),
            Utterance(0, "Hello there. You & <me>", 16_000, 48_000, 0.5, 2, 3, "en"),
            Ended(960_000),
        ]
    ),
    metadata={"room": "7"},
)


def test_the_text_has_a_header_then_one_line_per_utterance() -> None:
    assert render(SAID)["txt"].decode() == (
        "Timestamp: 2023-11-14T22:13:20.123Z\n"
        "Duration: 00:01:00.000\n"
        "Mean latency: 350 ms\n"
        "Session: 0b0f8a52-6d0f-4f39-9d8f-3f1f6f6f0001\n"
        "Language: en\n"
        "\n"
        "[00:00:01.000] Hello there. You & <me>\n"
    )


def test_the_document_has_the_fields_of_the_protocol_in_seconds() -> None:
    assert msgspec.json.decode(render(SAID)["json"]) == {
        "session_id": "0b0f8a52-6d0f-4f39-9d8f-3f1f6f6f0001",
        "user_id": None,
        "start_time": "2023-11-14T22:13:20.123Z",
        "duration_seconds": 60.0,
        "language": "en",
        "text": "Hello there. You & <me>",
        "utterances": [
            {
                "index": 0,
                "text_content": "Hello there. You & <me>",
                "start_time": 1.0,
                "end_time": 3.0,
                "confidence": 0.5,
                "language": "en",
                "first_event": 2,
                "last_event": 3,
            }
        ],
        "segments": [
            {
                "event": 2,
                "text_content": "Hello there.",
                "start_time": 1.0,
                "end_time": 2.0,
                "confidence": 0.5,
                "language": "en",
                "words": [
                    {"word": "Hello", "start": 1.0, "end": 1.5, "confidence": 0.9},
                    {"word": "there.", "start": 1.5, "end": 2.0, "confidence": 0.9},
                ],
            },
            {
                "event": 3,
                "text_content": "You & <me>",
                "start_time": 2.5,
                "end_time": 3.0,
                "confidence": 0.5,
                "language": "en",
                "words": [],
            },
        ],
        "statistics": {
            "audio_chunks": 600,
            "received_seconds": 60.0,
            "transcribed_seconds": 30.0,
            "silence_seconds": 30.0,
            "received_samples": 960_000,
            "transcribed_samples": 480_000,
            "silence_samples": 480_000,
            "finals": 2,
            "utterances": 0,
            "mean_latency_ms": 350,
        },
        "warnings": [],
        "metadata": {"room": "7"},
    }


def test_the_document_has_the_warnings_with_their_places() -> None:
    log = numbered([
        Warned("segment_skipped", "no text", 8_000, 40_000), final(3, 4, "two"),
        Warned("high_latency", "late", 48_000, 64_000), Warned("other", "of no place"), Ended(0),
    ])  # fmt: skip
    document = msgspec.json.decode(render(transcript(log))["json"])
    assert document["warnings"] == [
        {"event": 1, "code": "segment_skipped", "message": "no text", "start_time": 0.5,
         "end_time": 2.5},
        {"event": 3, "code": "high_latency", "message": "late", "start_time": 3.0,
         "end_time": 4.0},
        {"event": 4, "code": "other", "message": "of no place"},
    ]  # fmt: skip


def test_the_document_has_the_translations_that_came_before_the_end() -> None:
    log = numbered([
        final(1, 2, "one"), final(3, 4.5, "two"), Translation("es", "dos", 2), Ended(0),
        Translation("es", "uno", 1), Translation("fr", "bonjour", 0),
    ])  # fmt: skip
    document = msgspec.json.decode(render(transcript(log))["json"])
    assert document["translations"] == [
        {"language": "es", "of": 1, "text_content": "uno", "start_time": 1.0, "end_time": 2.0},
        {"language": "es", "of": 2, "text_content": "dos", "start_time": 3.0, "end_time": 4.5},
        {"language": "fr", "of": 0, "text_content": "bonjour", "start_time": None,
         "end_time": None},
    ]  # fmt: skip
    assert "translations" not in msgspec.json.decode(render(transcript(log[:2]))["json"])


def test_subrip_replaces_what_a_player_could_take_for_markup() -> None:
    assert render(SAID)["srt"].decode() == (
        "1\n00:00:01,000 --> 00:00:02,000\nHello there.\n\n"
        "2\n00:00:02,500 --> 00:00:03,000\nYou & \u2039me\u203a\n"
    )


def test_webvtt_escapes_markup() -> None:
    assert render(SAID)["vtt"].decode() == (
        "WEBVTT\n\n"
        "00:00:01.000 --> 00:00:02.000\nHello there.\n\n"
        "00:00:02.500 --> 00:00:03.000\nYou &amp; &lt;me&gt;\n"
    )


def test_speakers_are_named_where_they_are_known() -> None:
    words = [word("Well?", 0, 1, "0"), word("No.", 1, 2, "1@2.5"), word("Ah.", 2, 3)]
    files = render(transcript(numbered([final(0, 3, "Well? No. Ah.", words), Ended(0)])))

    assert files["vtt"].decode() == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:01.000\n<v Speaker 0>Well?\n\n"
        "00:00:01.000 --> 00:00:02.000\n<v Speaker 1@2.5>No.\n\n"
        "00:00:02.000 --> 00:00:03.000\nAh.\n"
    )
    captions = webvtt.from_buffer(StringIO(files["vtt"].decode())).captions
    assert [caption.voice for caption in captions] == ["Speaker 0", "Speaker 1@2.5", None]
    (segment,) = msgspec.json.decode(files["json"])["segments"]
    assert segment["words"] == [
        {"word": "Well?", "start": 0.0, "end": 1.0, "confidence": 0.9, "speaker": "0"},
        {"word": "No.", "start": 1.0, "end": 2.0, "confidence": 0.9, "speaker": "1@2.5"},
        {"word": "Ah.", "start": 2.0, "end": 3.0, "confidence": 0.9},
    ]


def test_an_empty_transcript_is_a_valid_file_in_every_format() -> None:
    files = render(transcript([], received=0, language="de"))

    assert files["txt"].decode().endswith("Language: de\n\n")
    assert msgspec.json.decode(files["json"])["text"] == ""
    assert list(srt_parser.parse(files["srt"].decode())) == []
    assert webvtt.from_buffer(StringIO(files["vtt"].decode())).captions == []


def test_the_language_is_the_one_spoken_longest_else_the_one_asked_for() -> None:
    german = Final("ja", (), 0, 99, 0.5, sequence_number=1, commit=1, language="de")

    assert transcript(numbered([german, final(1, 2)])).language == "en"
    assert transcript([], language="fr").language == "fr"


def test_a_clock_shows_hours_minutes_seconds_milliseconds() -> None:
    assert clock(3_600_000 + 62_003) == "01:01:02.003"


def _timed(shown: list[Cue]) -> list[tuple[int, int]]:
    return [(cue.start_ms, cue.end_ms) for cue in shown]


@given(spoken())
def test_a_parser_of_subrip_reads_the_cues_back(finals: list[Final]) -> None:
    shown = cues(finals)
    read = list(srt_parser.parse(srt(shown)))

    millisecond = timedelta(milliseconds=1)
    assert _timed(shown) == [(cue.start // millisecond, cue.end // millisecond) for cue in read]
    assert [cue.index for cue in read] == list(range(1, len(shown) + 1))
    likeness = str.maketrans("<>{}", "\u2039\u203a()")
    assert [cue.content for cue in read] == [
        "\n".join(cue.lines).translate(likeness) for cue in shown
    ]


@given(spoken())
def test_a_parser_of_webvtt_reads_the_cues_back(finals: list[Final]) -> None:
    shown = cues(finals)
    read = webvtt.from_buffer(StringIO(vtt(shown))).captions

    assert _timed(shown) == [
        (cue.start_time.in_milliseconds(), cue.end_time.in_milliseconds()) for cue in read
    ]
    assert [html.unescape(cue.text) for cue in read] == ["\n".join(cue.lines) for cue in shown]
    assert [cue.voice and html.unescape(cue.voice) for cue in read] == [
        cue.speaker and f"Speaker {clean(cue.speaker)}" for cue in shown
    ]


@settings(max_examples=20)
@given(spoken())
def test_the_same_log_gives_the_same_bytes(finals: list[Final]) -> None:
    log = numbered(finals)

    assert render(transcript(log)) == render(transcript(log))


def test_a_session_in_any_language_without_a_word_has_no_language() -> None:
    log = numbered([Status("connected"), Ended(16_000)])
    assert transcript(log, language="multi").language is None
    assert transcript(log, language="de").language == "de"
    spoken_log = numbered([final(1, 2), Ended(48_000)])
    assert transcript(spoken_log, language="multi").language == "en"
