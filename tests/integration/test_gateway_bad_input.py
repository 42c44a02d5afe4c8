"""Whatever a client sends is answered by a stable code, and nobody else feels it."""

import base64
import json
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.gateway_support import NOBODY, SESSIONS, Gateway, cut, noise, running
from tests.redis_servers import RedisServer

from steno_gateway.app import hush_quotations

CHUNK = noise(0.1)


@pytest.fixture
async def gateway(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway on which another client's session goes on through every test, unharmed."""
    async with (
        running(redis_server, tmp_path) as gateway,
        gateway.recording() as (session_id, other),
    ):
        await other.chunks([CHUNK])
        yield gateway
        await other.chunks([CHUNK], first=2)
        await other.hear_stored(2)
        assert await gateway.pcm(session_id) == 2 * CHUNK
        assert other.told("error") == []


def chunk(number: Any = 1, data: Any = CHUNK, **more: Any) -> str:
    text = base64.b64encode(data).decode() if isinstance(data, bytes) else data
    fields = {"type": "client:audio_chunk", "sequence_number": number, "audio_data": text}
    return json.dumps(fields | more)


GOES_ON = [
    ("{", "invalid_json"),
    ("", "invalid_json"),
    ("[]", "invalid_message"),
    ('{"type": "client:audio_chunk"}', "invalid_message"),
    (chunk("1"), "invalid_message"),
    (chunk(1, 7), "invalid_message"),
    (chunk(1, "*"), "invalid_message"),
    (b"\x00\x00", "invalid_message"),
    ('{"type": "client:sing"}', "unknown_type"),
    ('{"type": "client:control", "action": "sing"}', "unknown_type"),
    (chunk(0), "invalid_sequence"),
    (chunk(-3), "invalid_sequence"),
    (bytes(4) + CHUNK, "invalid_sequence"),
    (chunk(1, b""), "empty_chunk"),
    (b"\x00\x00\x00\x01", "empty_chunk"),
    (chunk(3), "sequence_gap"),
    (b"\xff\xff\xff\xff" + CHUNK, "sequence_gap"),
    (chunk(1, mime_type="audio/flac"), "format_mismatch"),
    ('{"type": "client:control", "action": "resume"}', "illegal_transition"),
]


@pytest.mark.parametrize(("frame", "code"), GOES_ON)
async def test_a_bad_message_is_refused_and_the_session_goes_on(
    gateway: Gateway, frame: str | bytes, code: str
) -> None:
    async with gateway.recording() as (_, client):
        if isinstance(frame, str):
            await client.ws.send_str(frame)
        else:
            await client.ws.send_bytes(frame)
        error = await client.hear("error")
        assert (error["code"], bool(error["message"])) == (code, True)
        assert error.get("resend_from") == (1 if code == "sequence_gap" else None)
        await client.chunks([CHUNK])
        await client.hear_stored(1)


async def test_a_chunk_over_the_limit_closes_the_connection(gateway: Gateway) -> None:
    async with gateway.recording() as (_, client):
        await client.chunks([bytes((1 << 20) + 1)])
        assert await client.hear_end() == 1009
        assert client.told("error")[-1]["code"] == "chunk_too_large"


async def test_the_largest_chunk_fits_into_a_frame_of_either_form(gateway: Gateway) -> None:
    async with gateway.recording("audio/pcm;rate=48000") as (_, client):
        await client.chunks([bytes(1 << 20)])
        await client.ws.send_str(chunk(2, bytes(1 << 20)))
        await client.hear_stored(2)


async def test_a_frame_without_bound_is_cut_off(gateway: Gateway) -> None:
    async with gateway.recording() as (session_id, client):
        await client.ws.send_bytes(bytes(3 << 20))
        assert await client.hear_end() == 1009
    await gateway.became(session_id, "reconnecting")


@pytest.mark.parametrize("data", [b"no container at all" * 20, b"\x1a\x45\xdf\xa3" * 5_000])
async def test_audio_that_cannot_be_decoded_ends_in_error(gateway: Gateway, data: bytes) -> None:
    async with gateway.recording("audio/webm") as (session_id, client):
        await client.chunks(cut(data, 5_000))
        await client.act("stop")
        assert await client.hear_end() == 1008
        errors = [error["code"] for error in client.told("error")]
        assert errors[0] == "undecodable_audio"
        assert await gateway.status(session_id) == "error"
        assert [mark for _, mark in await gateway.marks(session_id)] == ["end"]


async def test_a_container_that_stops_in_its_header_ends_in_error(gateway: Gateway) -> None:
    async with gateway.recording("audio/webm") as (session_id, client):
        await client.chunks([b"\x1a\x45\xdf\xa3\x9f"])
        await client.act("stop")
        assert await client.hear_end() == 1008
        assert client.told("error")[-1]["code"] == "undecodable_audio"
        assert await gateway.status(session_id) == "error"


@pytest.mark.parametrize(
    ("session_id", "code", "close"),
    [("no-uuid", "invalid_session_id", 4400), (NOBODY, "session_not_found", 4404)],
)
@pytest.mark.parametrize("door", ["ws", "listen"])
async def test_a_socket_of_no_session_is_told_why(
    gateway: Gateway, session_id: str, code: str, close: int, door: str
) -> None:
    async with gateway.socket(f"{SESSIONS}/{session_id}/{door}") as client:
        assert await client.hear_end() == close
        assert client.told("error")[-1]["code"] == code


async def test_a_session_id_may_be_written_in_capitals(gateway: Gateway) -> None:
    session_id = await gateway.create()
    async with gateway.joined(session_id.upper()) as client:
        assert client.greeting["session_id"] == session_id


@pytest.mark.parametrize("door", ["ws", "listen"])
async def test_an_event_number_that_is_none_is_refused(gateway: Gateway, door: str) -> None:
    session_id = await gateway.create()
    async with gateway.socket(f"{SESSIONS}/{session_id}/{door}?last_event=x") as client:
        assert (await client.hear("error"))["code"] == "invalid_message"
        assert await client.hear_end() == 1008


async def test_a_client_that_leaves_within_the_handshake_harms_nobody(gateway: Gateway) -> None:
    for _ in range(5):
        session_id = await gateway.create()
        async with gateway.http.ws_connect(f"{SESSIONS}/{session_id}/ws") as ws:
            ws._conn.transport.abort()  # type: ignore[union-attr]
        await gateway.became(session_id, "reconnecting", "connecting")


async def test_a_fault_of_ours_is_told_as_one(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    session_id = await gateway.create()

    async def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("steno_gateway.api.serve_session", broken)
    monkeypatch.setattr("steno_gateway.app.log.exception", lambda *_: None)
    monkeypatch.setattr("steno_gateway.socket.log.exception", lambda *_: None)
    async with gateway.socket(f"{SESSIONS}/{session_id}/ws") as client:
        assert await client.hear_end() == 1011
        assert client.told("error")[-1]["code"] == "internal"
    monkeypatch.setattr("steno_gateway.api.described", broken)
    async with gateway.http.get(f"{SESSIONS}/{session_id}") as answer:
        assert (answer.status, (await answer.json())["code"]) == (500, "internal")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", SESSIONS, b"{", 400, "invalid_json"),
        ("POST", SESSIONS, b"[]", 400, "invalid_message"),
        ("POST", SESSIONS, b'{"mime_type": "image/png"}', 415, "unsupported_format"),
        ("POST", SESSIONS, b'{"mime_type": "audio/pcm;rate=7"}', 400, "invalid_audio_format"),
        ("POST", SESSIONS, bytes(300_000), 400, "invalid_message"),
        ("GET", f"{SESSIONS}/x", b"", 400, "invalid_session_id"),
        ("GET", f"{SESSIONS}/{NOBODY}", b"", 404, "session_not_found"),
        ("DELETE", f"{SESSIONS}/{NOBODY}", b"", 404, "session_not_found"),
        ("GET", f"{SESSIONS}/{NOBODY}/events", b"", 404, "session_not_found"),
        ("GET", f"{SESSIONS}/{NOBODY}/ws", b"", 400, "invalid_request"),
        ("GET", "/nowhere", b"", 404, "invalid_request"),
        ("PUT", SESSIONS, b"", 405, "invalid_request"),
        ("GET", f"/api/transcripts/{NOBODY}", b"", 404, "transcript_not_found"),
        ("GET", f"/api/transcripts/{NOBODY}.exe", b"", 404, "transcript_not_found"),
        ("GET", "/api/transcripts/..%2F..%2Fetc%2Fpasswd.txt", b"", 404, "transcript_not_found"),
        ("DELETE", "/api/transcripts/..%2Fx", b"", 404, "transcript_not_found"),
        ("GET", "/api/transcripts?limit=many", b"", 400, "invalid_message"),
        ("POST", "/api/transcriptions", b"", 400, "empty_chunk"),
        ("POST", "/api/transcriptions", b"nothing to hear" * 9, 422, "undecodable_audio"),
        ("POST", "/api/transcriptions?mime_type=text/html", b"x", 415, "unsupported_format"),
        ("POST", "/api/transcriptions?language=%3F", b"x", 400, "invalid_message"),
    ],
)
async def test_every_http_error_has_a_typed_body(
    gateway: Gateway, method: str, path: str, body: bytes, status: int, code: str
) -> None:
    async with gateway.http.request(method, path, data=body or None) as answer:
        error = await answer.json()
    assert (answer.status, error["type"], error["code"]) == (status, "server:error", code)
    assert isinstance(error["retryable"], bool)


async def test_a_body_without_a_length_is_bounded_too(gateway: Gateway) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield bytes(1 << 16)

    async with gateway.http.post(SESSIONS, data=endless()) as answer:
        assert (answer.status, (await answer.json())["code"]) == (413, "invalid_request")


async def test_what_a_form_says_of_its_parts_is_not_quoted_in_the_log(
    gateway: Gateway,
) -> None:
    parts = (b'fo\xf2m-data; name="canary"', b'form-data; canary; name="x', b"form-data; =canary;;")
    body = b"".join(b"--x\r\nContent-Disposition: " + part + b"\r\n\r\n\r\n" for part in parts)
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    with warnings.catch_warnings(record=True) as quoted:
        warnings.simplefilter("always")
        hush_quotations()
        async with gateway.http.post(
            "/api/transcriptions", data=body + b"--x--\r\n", headers=kind
        ) as answer:
            assert (answer.status, (await answer.json())["code"]) == (400, "empty_chunk")
    assert quoted == []


async def test_multipart_without_a_file_holds_no_audio(gateway: Gateway) -> None:
    path = "/api/transcriptions"
    charset = b'--x\r\nContent-Disposition: form-data; name="_charset_"\r\n\r\n' + b"u" * 99
    for body, code in (
        (b"--x--\r\n", "empty_chunk"),
        (b"garbage", "invalid_request"),
        (b"--x\r\nNo Token: a\r\n\r\n\r\n--x--\r\n", "invalid_request"),
        (b"--x\r\nA: " + b"b" * 20_000 + b"\r\n\r\n\r\n--x--\r\n", "invalid_request"),
        (charset + b"\r\n--x--\r\n", "invalid_request"),
    ):
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        async with gateway.http.post(path, data=body, headers=kind) as answer:
            assert (answer.status, (await answer.json())["code"]) == (400, code)
    async with gateway.http.post(
        path, data=b"x", headers={"Content-Type": "multipart/form-data"}
    ) as answer:
        assert (answer.status, (await answer.json())["code"]) == (400, "invalid_request")
