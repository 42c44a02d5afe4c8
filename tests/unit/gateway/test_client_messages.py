"""What clients send is read once, or refused with the reason."""

import base64
import json
import unicodedata
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_gateway.domain.client import (
    AudioChunk,
    Control,
    Ping,
    SessionRequest,
    parse_frame,
    parse_message,
    parse_request,
    request_of_query,
)
from steno_gateway.domain.errors import FAULTS, ClientError

T = TypeVar("T")
U = TypeVar("U")

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
almost_messages = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["client:audio_chunk", "client:control", "client:ping", "x"]),
        "sequence_number": json_values,
        "audio_data": json_values,
        "action": st.sampled_from(["start", "stop", "jump", 7]),
        "timestamp": json_values,
        "mime_type": json_values,
    },
)


hotwords = st.text(st.characters(categories=["Cc", "Zs", "Lu"]), max_size=3) | st.text(
    st.sampled_from("aé \U0001f600\u2003"), min_size=60, max_size=68
)
about_audio = st.fixed_dictionaries(
    {},
    optional={
        "language": st.sampled_from(["en", "pt-BR", "yue", "multi", "multiple", "", "e"]),
        "task": st.sampled_from(["transcribe", "translate", "sing"]),
        "prompt": st.text(max_size=3) | st.sampled_from(["é" * 1_000, "\U0001f600" * 1_001]),
        "hotwords": st.lists(hotwords, max_size=3) | st.sampled_from([["a"] * 100, ["a"] * 101]),
    },
)


def within_the_limits(asked: dict[str, Any]) -> bool:
    words = asked.get("hotwords", [])
    return (
        asked.get("language", "en") in {"en", "pt-BR", "yue", "multi"}
        and asked.get("task", "translate") in {"transcribe", "translate"}
        and len(asked.get("prompt", "")) <= 1_000
        and len(words) <= 100
        and all(len(word) <= 64 and word.strip() for word in words)
        and not any(unicodedata.category(c) == "Cc" for word in words for c in word)
    )


def outcome(parse: Callable[[T], U], given: T) -> U | ClientError:
    """Give what a parser makes of its input, be it a refusal."""
    try:
        return parse(given)
    except ClientError as error:
        return error


def code_of(text: str) -> str | None:
    with pytest.raises(ClientError) as caught:
        parse_message(text)
    return caught.value.code


def test_a_chunk_is_read_with_all_its_fields() -> None:
    text = json.dumps(
        {
            "type": "client:audio_chunk",
            "sequence_number": 7,
            "audio_data": base64.b64encode(b"\x00\xff sound").decode(),
            "timestamp": "2026-01-01T00:00:00Z",
            "mime_type": "audio/pcm",
            "chunk_id": "c7",
        }
    )
    expected = AudioChunk(7, b"\x00\xff sound", "2026-01-01T00:00:00Z", "audio/pcm", "c7")
    assert parse_message(text) == expected


@pytest.mark.parametrize("action", ["start", "pause", "resume", "stop", "finalize"])
def test_every_action_is_read(action: Any) -> None:
    assert parse_message(f'{{"type": "client:control", "action": "{action}"}}') == Control(action)


def test_a_ping_may_carry_a_time_or_none() -> None:
    assert parse_message('{"type": "client:ping", "timestamp": 1.5}') == Ping(1.5)
    assert parse_message('{"type": "client:ping"}') == Ping(None)


def test_unknown_fields_are_passed_over() -> None:
    assert parse_message('{"type": "client:ping", "colour": "red"}') == Ping(None)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "invalid_json"),
        ("hello", "invalid_json"),
        ('{"type": "client:ping"', "invalid_json"),
        ('{"type": "\\ud800"}', "invalid_json"),
        ("[" * 100_000, "invalid_message"),
        ("[]", "invalid_message"),
        ("7", "invalid_message"),
        ("{}", "invalid_message"),
        ('{"type": "client:jump"}', "unknown_type"),
        ('{"type": "server:ack"}', "unknown_type"),
        ('{"type": 7}', "invalid_message"),
        ('{"type": "client:control"}', "invalid_message"),
        ('{"type": "client:control", "action": "jump"}', "unknown_type"),
        ('{"type": "client:control", "action": 7}', "invalid_message"),
        ('{"type": "client:audio_chunk", "sequence_number": 1}', "invalid_message"),
        (
            '{"type": "client:audio_chunk", "sequence_number": "1", "audio_data": ""}',
            "invalid_message",
        ),
        (
            '{"type": "client:audio_chunk", "sequence_number": 1, "audio_data": "?"}',
            "invalid_message",
        ),
    ],
)
def test_text_that_is_no_message_is_refused_with_the_reason(text: str, code: str) -> None:
    assert code_of(text) == code


@given(st.text() | json_values.map(json.dumps) | almost_messages.map(json.dumps))
def test_any_text_is_a_message_or_a_refusal_that_can_be_told(text: str) -> None:
    answer = outcome(parse_message, text)
    if not isinstance(answer, ClientError):
        assert isinstance(answer, AudioChunk | Control | Ping)
        return
    assert answer.code in FAULTS
    assert answer.fault.close is None
    assert len(answer.message) <= 200
    assert msgspec.json.decode(msgspec.json.encode(answer.as_message()))["code"] == answer.code


def test_a_binary_frame_is_a_number_and_audio() -> None:
    assert parse_frame(b"\x00\x00\x01\x02abc") == AudioChunk(258, b"abc")
    assert parse_frame(b"\xff\xff\xff\xff") == AudioChunk(4_294_967_295, b"")


@given(st.binary(max_size=64))
def test_any_frame_is_a_chunk_or_too_short(frame: bytes) -> None:
    chunk = outcome(parse_frame, frame)
    if isinstance(chunk, ClientError):
        assert (chunk.code, len(frame) < 4) == ("invalid_message", True)
    else:
        assert chunk.sequence_number.to_bytes(4) + chunk.audio_data == frame


def test_an_empty_body_asks_for_the_defaults() -> None:
    expected = SessionRequest("audio/webm;codecs=opus", None, None, None, 3600, None, {})
    assert parse_request(b"") == parse_request(b" \n") == parse_request(b"{}") == expected


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'{"duration_limit": 59}',
        b'{"duration_limit": 3601}',
        b'{"language": "english please"}',
        b'{"language": "en\\n"}',
        b'{"language": "multi-en"}',
        b'{"language": "multi\\n"}',
        b'{"task": "summarise"}',
        b'{"prompt": "' + b"x" * 1_001 + b'"}',
        b'{"prompt": ["x"]}',
        b'{"hotwords": "Ada"}',
        b'{"hotwords": [7]}',
        b'{"hotwords": [""]}',
        b'{"hotwords": [" \\u2003"]}',
        b'{"hotwords": ["Ada\\n"]}',
        b'{"hotwords": ["Ada\\u0085Grace"]}',
        b'{"hotwords": ["' + b"x" * 65 + b'"]}',
        json.dumps({"hotwords": ["x"] * 101}).encode(),
        b'{"metadata": {"a": 1}}',
        b'{"metadata": {"a": {}}}',
        b'{"sample_rate": "16000"}',
        b'{"mime_type": null}',
        b'{"user_id": "' + b"x" * 257 + b'"}',
        json.dumps({"metadata": {str(n): "" for n in range(17)}}).encode(),
    ],
)
def test_a_request_outside_the_rules_is_refused(body: bytes) -> None:
    with pytest.raises(ClientError) as caught:
        parse_request(body)
    assert (caught.value.code, caught.value.fault.http) == ("invalid_message", 400)


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_a_request_or_a_refusal(body: bytes) -> None:
    answer = outcome(parse_request, body)
    if isinstance(answer, ClientError):
        assert answer.code in {"invalid_json", "invalid_message"}
    else:
        assert isinstance(answer, SessionRequest)


def test_a_session_says_how_its_audio_is_to_be_understood() -> None:
    body = {"language": "multi", "task": "translate", "prompt": "Grüße.\n", "hotwords": ["Ada L."]}
    asked = parse_request(json.dumps(body).encode())
    assert (asked.language, asked.task, asked.prompt) == ("multi", "translate", "Grüße.\n")
    assert asked.hotwords == ("Ada L.",)


@given(about_audio)
def test_what_is_said_of_the_audio_is_taken_within_the_limits_only(asked: dict[str, Any]) -> None:
    answer = outcome(parse_request, json.dumps(asked).encode())
    if isinstance(answer, ClientError):
        assert (answer.code, within_the_limits(asked)) == ("invalid_message", False)
        return
    assert within_the_limits(asked)
    assert {name: getattr(answer, name) for name in asked} == {
        name: tuple(value) if name == "hotwords" else value for name, value in asked.items()
    }


@given(about_audio)
def test_an_upload_is_asked_for_as_a_session_is(asked: dict[str, Any]) -> None:
    one = [(name, value) for name, value in asked.items() if name != "hotwords"]
    query = one + [("hotwords", word) for word in asked.get("hotwords", [])]
    by_address = outcome(lambda pairs: request_of_query("audio/flac", pairs), query)
    body = json.dumps(asked | {"mime_type": "audio/flac"}).encode()
    by_body = outcome(parse_request, body)
    if isinstance(by_address, ClientError):
        assert isinstance(by_body, ClientError)
        assert by_address.code == by_body.code
    else:
        assert by_address == by_body


def test_an_address_may_say_more_than_is_asked() -> None:
    query = [("language", "pt-BR"), ("other", "x"), ("language", "en")]
    asked = request_of_query("audio/flac", query)
    assert asked == SessionRequest("audio/flac", language="pt-BR")
    with pytest.raises(ClientError, match="language"):
        request_of_query("audio/flac", [("language", "?")])


def test_an_address_says_whose_session_it_is_and_what_belongs_to_it() -> None:
    query = [("user_id", "u"), ("metadata.room", "7"), ("metadata.a.b=c", ""),
             ("metadata.room", "8")]  # fmt: skip
    asked = request_of_query("audio/flac", query)
    assert asked == SessionRequest("audio/flac", user_id="u", metadata={"room": "7", "a.b=c": ""})
    with pytest.raises(ClientError, match="metadata"):
        request_of_query("audio/flac", [(f"metadata.{n}", "") for n in range(17)])


@pytest.mark.parametrize("asked", [{"prompt": 1_001 * "canary"}, {"hotwords": ["canary\n"]}])
def test_a_refusal_quotes_nothing_of_what_was_said(asked: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as caught:
        parse_request(json.dumps(asked).encode())
    assert next(iter(asked)) in caught.value.message
    assert "canary" not in caught.value.message


def test_a_ping_is_short_since_it_is_sent_back() -> None:
    ping = '{"type": "client:ping", "timestamp": "%s"}'
    assert parse_message(ping % ("x" * 64)) == Ping("x" * 64)
    with pytest.raises(ClientError, match="length"):
        parse_message(ping % ("x" * 65))
