"""Dialects: what a frame comes to, how a message is said."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_common.messages import Final, Partial, Prosody, Translation, Warned, Word
from steno_gateway.domain.client import Audio, AudioChunk, Control, Ping
from steno_gateway.domain.dialects.base import Dialect, Manners
from steno_gateway.domain.dialects.doors import dialect_at
from steno_gateway.domain.dialects.native import NATIVE
from steno_gateway.domain.dialects.send_audio import SendAudio
from steno_gateway.domain.dialects.simple import Simple
from steno_gateway.domain.errors import FAULTS, ClientError
from steno_gateway.domain.server import event_message, partial_message, translation_message
from steno_gateway.domain.story import Segment

NAME = "golden-eagle-427"
CHUNK = bytes(range(250)) * 12 + bytes(200)
NOW = 123.4567
MOMENT = 1_699_500_000_000

FINAL = event_message(
    "s", 3,
    Final("hello there", (Word("hello", 0, 8_000, 0.5),), 1_600, 17_600, 0.75, 9, 1, "en",
          Prosody(0.25, 1.5, 0.5), created_ms=MOMENT),
)  # fmt: skip
PARTIAL = partial_message(
    "s", Partial("hello", (), 1_600, 9_600, 0.5, 0.875, 4, 0, "en", created_ms=MOMENT)
)
DIALECTS: dict[str, Dialect] = {
    "native": NATIVE,
    "simple": Simple(),
    "simple with all": Simple(partials=True, details=True),
    "sendAudio": SendAudio(NAME),
    "sendAudio with details": SendAudio(NAME, details=True),
}


def send_audio(**changes: Any) -> str:
    fields = {"action": "sendAudio", "sessionId": NAME, "timestamp": MOMENT,
              "audioData": base64.b64encode(CHUNK).decode()}  # fmt: skip
    return json.dumps({k: v for k, v in {**fields, **changes}.items() if v is not None})


def said(dialect: Dialect, message: Any) -> Any:
    """Give the one message that a native one comes to; None if it goes without saying."""
    worded = dialect.word(message, NOW)
    assert len(worded) <= 1
    return worded[0] if worded else None


def told(dialect: Dialect, code: str, message: str = "why", **details: Any) -> Any:
    return said(dialect, ClientError(code, message, **details).as_message())


def refusal(dialect: Dialect, frame: str | bytes) -> Any:
    """Give how a frame is refused."""
    with pytest.raises(ClientError) as refused:
        dialect.read(frame)
    return said(dialect, refused.value.as_message())


def test_the_native_protocol_says_everything_as_it_is() -> None:
    assert NATIVE.read(b"\0\0\0\7ab") == (AudioChunk(7, b"ab"),)
    assert said(NATIVE, FINAL) is FINAL
    assert NATIVE.manners == Manners()


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (CHUNK, Audio(CHUNK)),
        ("stop", Control("stop")),
        (" STOP\n", Control("stop")),
        ('{"type": "stop"}', Control("stop")),
        ('{"action": "stop"}', Control("stop")),
        ('{"type": "end", "more": [1]}', Control("stop")),
        ('{"type": "finalize"}', Control("finalize")),
        ("ping", Ping()),
    ],
)
def test_what_a_simple_client_may_say(frame: str | bytes, message: Any) -> None:
    assert Simple().read(frame) == (message,)


def test_an_empty_frame_of_a_recorder_says_nothing() -> None:
    assert Simple().read(b"") == ()


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("hello", "unknown_type"),
        ("", "unknown_type"),
        ("{}", "unknown_type"),
        ('{"type": ["stop"]}', "unknown_type"),
        ("{", "invalid_json"),
        ('{"type": "stop"} x', "invalid_json"),
        ("{" * 100_000, "invalid_json"),
    ],
)
def test_what_a_simple_client_says_wrongly_is_told(frame: str, code: str) -> None:
    told = refusal(Simple(), frame)
    assert set(told) == {"type", "error", "code", "timestamp"}
    assert (told["type"], told["code"], told["timestamp"]) == ("error", code, 123.457)


def test_r4_a_final_is_a_transcription_with_a_time() -> None:
    assert said(Simple(), FINAL) == {
        "text": "hello there", "type": "transcription", "timestamp": 123.457,
    }  # fmt: skip
    assert said(Simple(), PARTIAL) is None


def test_r4_who_wants_partials_and_details_gets_them() -> None:
    assert said(Simple(partials=True), PARTIAL) == {
        "text": "hello", "type": "partial", "timestamp": 123.457,
    }  # fmt: skip
    assert said(Simple(details=True), FINAL) == {
        "text": "hello there", "type": "transcription", "timestamp": 123.457,
        "start": 0.1, "end": 1.1, "confidence": 0.75, "language": "en",
        "words": [{"word": "hello", "start": 0.0, "end": 0.5, "confidence": 0.5}],
    }  # fmt: skip


def test_r4_an_error_is_a_text_with_a_code_and_a_time() -> None:
    assert told(Simple(), "duration_limit", "as long as it may be") == {
        "type": "error", "error": "as long as it may be", "code": "duration_limit",
        "timestamp": 123.457,
    }  # fmt: skip
    late = event_message("s", 4, Warned("high_latency", "the audio waits"))
    assert said(Simple(), late)["error"] == "the audio waits"
    assert said(Simple(), {"type": "server:warning", "code": "latency_normal"}) is None


def test_r4_the_state_is_said_in_its_own_message() -> None:
    state = {"status": "ok", "active_clients": 2}
    assert said(Simple(), {"type": "server:state", "state": state}) == {
        "status": state, "type": "status", "timestamp": 123.457,
    }  # fmt: skip


def test_r3_audio_comes_as_base64_under_a_readable_name() -> None:
    assert SendAudio().address(send_audio()) == (NAME, (Audio(CHUNK),))
    assert SendAudio().address(send_audio(timestamp=None)) == (NAME, (Audio(CHUNK),))
    assert SendAudio().address(send_audio(sessionId="blåbær.7:a@b~c-d"))[0] == "blåbær.7:a@b~c-d"
    ending = json.dumps({"action": "endSession", "sessionId": NAME})
    assert SendAudio().address(ending) == (NAME, (Control("stop"),))


@pytest.mark.parametrize(
    "changes",
    [
        {"audioData": "not base64!"},
        {"audioData": 7},
        {"audioData": ""},
        {"audioData": base64.b64encode(b"odd").decode()},
        {"sampleRate": 44_100},
        {"channels": 2},
    ],
)
def test_r3_what_is_no_pcm_at_16_khz_is_refused_in_these_words(changes: Any) -> None:
    assert refusal(SendAudio(), send_audio(**changes)) == {
        "type": "error", "code": "INVALID_AUDIO_FORMAT",
        "message": "Audio must be PCM 16kHz mono", "statusCode": 400,
    }  # fmt: skip


def test_r3_too_many_chunks_are_refused_in_these_words() -> None:
    assert told(SendAudio(), "rate_limited", retry_after_ms=90, resend_from=4) == {
        "type": "error", "code": "RATE_LIMIT_EXCEEDED",
        "message": "Too many audio chunks. Max 10 per second.", "statusCode": 429,
    }  # fmt: skip
    told_of_12 = told(SendAudio("", 12.5), "rate_limited")
    assert told_of_12["message"] == "Too many audio chunks. Max 12.5 per second."


@pytest.mark.parametrize(
    ("frame", "code", "status"),
    [
        ("{", "INVALID_JSON", 400),
        ("[]", "INVALID_MESSAGE", 400),
        (b"\0\0", "INVALID_MESSAGE", 400),
        ("{}", "UNKNOWN_ACTION", 400),
        ('{"action": "dance", "sessionId": "a"}', "UNKNOWN_ACTION", 400),
        ('{"action": "sendAudio", "audioData": ""}', "INVALID_SESSION_ID", 400),
        (send_audio(sessionId=""), "INVALID_SESSION_ID", 400),
        (send_audio(sessionId="with space"), "INVALID_SESSION_ID", 400),
        (send_audio(sessionId="x" * 129), "INVALID_SESSION_ID", 400),
        (send_audio(sessionId="line\n"), "INVALID_SESSION_ID", 400),
        (send_audio(sessionId=7), "INVALID_SESSION_ID", 400),
        (send_audio(audioData=None), "INVALID_MESSAGE", 400),
        (send_audio(audioData="AA" * 160_004), "CHUNK_TOO_LARGE", 413),
    ],
)
def test_r3_other_refusals_have_the_same_form(frame: str, code: str, status: int) -> None:
    told = refusal(SendAudio(), frame)
    assert set(told) == {"type", "code", "message", "statusCode"}
    assert (told["type"], told["code"], told["statusCode"]) == ("error", code, status)


def test_r3_what_waits_for_too_long_is_refused_with_the_bound() -> None:
    assert told(SendAudio(buffer_seconds=2.5), "backlog_full") == {
        "type": "error", "code": "BUFFER_FULL",
        "message": "Audio buffer is full. Max 2.5 seconds.", "statusCode": 503,
    }  # fmt: skip


@pytest.mark.parametrize("code", FAULTS)
def test_every_error_has_a_status_and_a_name(code: str) -> None:
    worded = told(SendAudio(), code)
    assert worded["code"].isupper()
    assert 400 <= worded["statusCode"] < 600


def test_details_say_which_session_an_error_is_of_and_when_to_try_again() -> None:
    worded = told(SendAudio(NAME, details=True), "rate_limited", retry_after_ms=90)
    assert (worded["sessionId"], worded["retryAfterMs"]) == (NAME, 90)


def test_r3_results_come_in_the_words_of_the_pipeline() -> None:
    assert said(SendAudio(NAME), PARTIAL) == {
        "type": "transcript", "sessionId": NAME, "sourceLanguage": "en", "transcriptText": "hello",
        "isPartial": True, "stabilityScore": 0.875, "timestamp": MOMENT,
        "startTime": 0.1, "endTime": 0.6,
    }  # fmt: skip
    assert said(SendAudio(NAME), FINAL) == {
        "type": "transcript", "sessionId": NAME, "sourceLanguage": "en",
        "transcriptText": "hello there", "isPartial": False, "stabilityScore": 1.0,
        "timestamp": MOMENT, "startTime": 0.1, "endTime": 1.1,
        "emotionDynamics": {"volume": 0.25, "rate": 1.5, "energy": 0.5},
    }  # fmt: skip


def test_r3_a_translation_says_when_what_it_translates_was_said() -> None:
    translation = Translation("es-MX", "hola", 3, MOMENT + 250)
    segment = Segment("hello there", 1_600, 17_600)
    assert said(SendAudio(NAME), translation_message("s", 5, translation, segment)) == {
        "type": "translation", "sessionId": NAME, "targetLanguage": "es-MX",
        "translatedText": "hola", "timestamp": MOMENT + 250, "startTime": 0.1, "endTime": 1.1,
    }  # fmt: skip
    alone = said(SendAudio(NAME), translation_message("s", 5, translation, None))
    assert (alone["startTime"], alone["endTime"]) == (None, None)


def test_manners_are_data() -> None:
    assert Simple().manners == Manners(waits=True, ends_with_client=True, told_of_state=True)
    assert SendAudio().manners == Manners(
        told_of_state=True, chunks_per_second=10.0, queued_bytes=160_000
    )


def taken(manners: Manners, times: list[float]) -> int:
    """Give how many of the chunks that come at these times are taken, of usually 2 a second."""
    bucket = manners.chunk_bucket(2.0, 1)
    return sum(bucket.take(at) == 0 for at in times)


def test_r3_ten_chunks_are_taken_at_once_then_ten_a_second() -> None:
    assert taken(SendAudio().manners, 30 * [0.0]) == 10
    assert taken(SendAudio().manners, [*30 * [0.0], *30 * [1.0]]) == 20
    assert taken(SendAudio(chunks_per_second=0.5).manners, [0.0, 1.0, 2.0, 2.5]) == 2


@given(st.floats(0.0, 0.009), st.floats(0.0, 0.89))
def test_r3_a_real_time_client_is_never_refused_though_its_clock_is_fast(
    drift: float, stall: float
) -> None:
    period = 0.1 * (1 - drift)
    times = [number * period for number in range(400)]
    # For a while nothing comes through, then all of it at once: nine chunks at most, so that there
    # is room for the next one, which may come right behind them.
    times = [max(at, 20 + stall) if 20 < at < 20 + stall else at for at in times]
    assert taken(SendAudio().manners, times) == 400


def test_who_is_held_up_is_never_refused_for_a_rate() -> None:
    assert taken(Simple().manners, 10_000 * [0.0]) == 10_000
    assert taken(Manners(), 100 * [0.0]) == 9


def test_each_door_has_its_dialect() -> None:
    limits = SendAudio("", 7.0, 3.0)
    assert dialect_at("/ws", {"partials": "true"}, limits) == Simple(partials=True)
    assert dialect_at("/st", {}, limits) == Simple()
    assert dialect_at("/sendAudio", {"details": "1"}, limits) == SendAudio("", 7.0, 3.0, True)
    assert dialect_at("/api/streaming/sessions/{session_id}/ws", {}, limits) is NATIVE


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_alike = st.dictionaries(
    st.sampled_from(["action", "type", "sessionId", "audioData", "timestamp", "sampleRate"]),
    st.sampled_from(["sendAudio", "endSession", "stop", NAME, "AAAA", "%%", ""]) | _json,
).map(json.dumps)


@pytest.mark.parametrize("name", DIALECTS)
@given(frame=st.binary() | st.text() | _json.map(json.dumps) | _alike)
def test_whatever_comes_is_read_or_refused_in_the_words_of_the_dialect(
    name: str, frame: str | bytes
) -> None:
    dialect = DIALECTS[name]
    try:
        messages = dialect.read(frame)
    except ClientError as error:
        (worded,) = dialect.word(error.as_message(), NOW)
        json.dumps(worded)
    else:
        assert all(isinstance(each, Audio | AudioChunk | Control | Ping) for each in messages)


@pytest.mark.parametrize("name", [name for name in DIALECTS if name != "native"])
def test_what_has_no_word_in_a_dialect_goes_without_saying(name: str) -> None:
    for kind in ("session_created", "ack", "token", "checkpoint", "utterance"):
        assert DIALECTS[name].word({"type": f"server:{kind}"}, NOW) == ()
    assert DIALECTS[name].word({"type": "server:status", "status": "recording"}, NOW) == ()
