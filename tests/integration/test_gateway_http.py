"""Sessions, uploads, saved transcripts over HTTP; how a gateway takes its leave."""

import asyncio
import io
import json
import logging
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.integration.gateway_support import (
    SESSIONS,
    Gateway,
    cut,
    decoded,
    noise,
    read_events,
    running,
    until,
)
from tests.redis_servers import RedisServer

from steno_common.archive import Archive
from steno_common.messages import Session

CREATED_MS = 1_700_000_000_000
UPLOADS = "/api/transcriptions"
UNDERSTANDING = {"language": "multi", "task": "translate", "prompt": "Grüße, canary.",
                 "hotwords": [" Ada canary ", "東京"]}  # fmt: skip


@pytest.fixture
async def gateway(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running(redis_server, tmp_path) as gateway:
        yield gateway


def wav(pcm: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16_000)
        writer.writeframes(pcm)
    return file.getvalue()


def saved(gateway: Gateway, session_id: str, text: str, created_ms: int = CREATED_MS) -> None:
    document = {"session_id": session_id, "start_time": "then", "duration_seconds": 1.0,
                "language": None, "text": text}  # fmt: skip
    files = {"json": json.dumps(document).encode(), "txt": text.encode(),
             "srt": b"1\n", "vtt": b"WEBVTT\n"}  # fmt: skip
    gateway.services.archive.save(session_id, created_ms, files)


async def only_session(gateway: Gateway) -> str:
    """Wait for the session that an upload makes."""
    found: list[str] = []

    async def there() -> bool:
        found[:] = list(gateway.services.feed._subscriptions)
        return len(found) == 1

    await until(there)
    return found[0]


async def test_a_session_is_shown_as_it_goes(gateway: Gateway) -> None:
    asked = {"language": "en", "duration_limit": 90, "user_id": "u", "metadata": {"room": "7"}}
    session_id = await gateway.create("audio/pcm;rate=8000", **asked)
    async with gateway.http.get(f"{SESSIONS}/{session_id}") as answer:
        shown = await answer.json()
    assert asked.items() <= shown.items()
    assert (shown["status"], shown["mime_type"]) == ("connecting", "audio/pcm;rate=8000")
    assert shown["websocket_url"] == f"{SESSIONS}/{session_id}/ws"
    async with gateway.joined(session_id) as client:
        await client.chunks([noise(0.1)])
        await client.hear_stored(1)
        await gateway.commit(session_id, "one", "two")
    await gateway.became(session_id, "reconnecting")
    async with gateway.http.get(f"{SESSIONS}/{session_id}") as answer:
        shown = await answer.json()
    assert (shown["status"], shown["audio_chunks_received"], shown["confirmed_text"]) == (
        "reconnecting", 1, "one two",
    )  # fmt: skip
    async with gateway.http.delete(f"{SESSIONS}/{session_id}") as answer:
        assert answer.status == 204
    async with gateway.http.get(f"{SESSIONS}/{session_id}") as answer:
        assert answer.status == 404


async def test_a_session_may_be_created_without_a_body(gateway: Gateway) -> None:
    async with gateway.http.post(SESSIONS) as answer:
        shown = await answer.json()
    assert (answer.status, shown["mime_type"], shown["duration_limit"]) == (
        201, "audio/webm;codecs=opus", 3600,
    )  # fmt: skip


def understood(session: Session) -> dict[str, Any]:
    return {name: getattr(session, name) for name in UNDERSTANDING}


KEPT = UNDERSTANDING | {"hotwords": ("Ada canary", "東京")}


async def test_how_audio_is_to_be_understood_reaches_recognition_but_no_log(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    session_id = await gateway.create("audio/pcm", **UNDERSTANDING)
    async with gateway.http.get(f"{SESSIONS}/{session_id}") as answer:
        shown = await answer.json()
    assert (shown["language"], shown["task"]) == ("multi", "translate")
    assert "canary" not in json.dumps(shown)
    async with gateway.joined(session_id) as client:
        await client.chunks([noise(0.1)])
        await client.hear_stored(1)
        assert understood((await gateway.snapshot(session_id)).session) == KEPT
    assert "canary" not in caplog.text


async def test_every_limit_can_be_reached_at_once(gateway: Gateway) -> None:
    wide = "\U0001f600"
    metadata = {f"{number:02}{wide * 254}": wide * 256 for number in range(16)}
    session_id = await gateway.create(
        "audio/pcm", user_id=wide * 256, metadata=metadata, prompt=wide * 1_000,
        hotwords=[wide * 64] * 100,
    )  # fmt: skip
    assert (await gateway.snapshot(session_id)).session.hotwords == (wide * 64,) * 100


@pytest.mark.parametrize(
    ("name", "value"),
    [("language", "english"), ("task", "sing"), ("prompt", "x" * 1_001), ("hotwords", " ")],
)
async def test_what_cannot_be_understood_is_refused_everywhere(
    gateway: Gateway, name: str, value: str
) -> None:
    body = {name: [value] if name == "hotwords" else value}
    async with gateway.http.post(SESSIONS, json=body) as answer:
        assert (answer.status, (await answer.json())["code"]) == (400, "invalid_message")
    status, error = await uploading(gateway, data=b"x", params={name: value})
    assert (status, error["code"]) == (400, "invalid_message")
    assert name in error["message"]


async def uploading(gateway: Gateway, **request: Any) -> tuple[int, Any]:
    async with gateway.http.post(UPLOADS, **request) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize("form", [False, True])
async def test_an_upload_goes_the_way_of_every_session(gateway: Gateway, form: bool) -> None:
    data = wav(noise(5))
    body: Any = data
    headers = {"Content-Type": "audio/wav"}
    if form:
        body, headers = aiohttp.FormData(), {}
        body.add_field("note", "not audio")
        body.add_field("file", data, filename="a.wav", content_type="audio/wav")
    upload = asyncio.create_task(
        uploading(gateway, data=body, headers=headers, params=UNDERSTANDING)
    )
    session_id = await only_session(gateway)
    await gateway.marked(session_id)
    assert await gateway.pcm(session_id) == decoded("audio/wav", data)
    shown = await gateway.snapshot(session_id)
    assert (shown.status, understood(shown.session)) == ("finalizing", KEPT)
    await gateway.commit(session_id, "uploaded")
    saved(gateway, session_id, "uploaded")
    await gateway.complete(session_id, "uploaded")
    status, transcript = await upload
    assert (status, transcript["text"], transcript["session_id"]) == (200, "uploaded", session_id)


async def test_an_upload_longer_than_the_backlog_waits_for_the_transcriber(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    limits = {"backlog_seconds": 3.0}
    pcm = noise(20)
    async with running(redis_server, tmp_path, limits) as gateway:
        upload = asyncio.create_task(
            uploading(gateway, data=pcm, headers={"Content-Type": "audio/pcm"})
        )
        session_id = await only_session(gateway)
        taken, ended = b"", False
        while not ended:
            entries = await gateway.entries(session_id)
            waiting = b"".join(entry.pcm for entry in entries)
            assert len(waiting) <= 3 * 32_000
            taken += waiting
            ended = any(entry.marker == "end" for entry in entries)
            if entries and not ended:
                await gateway.commit(session_id, through=entries)
            await asyncio.sleep(0.02)
        assert taken == pcm
        saved(gateway, session_id, "long")
        await gateway.finish(session_id)
        assert (await upload)[0] == 200


async def test_an_upload_that_fails_leaves_no_session_behind(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with running(redis_server, tmp_path, max_upload_bytes=100_000) as gateway:
        pcm = {"Content-Type": "audio/pcm"}
        status, error = await uploading(gateway, data=noise(10), headers=pcm)
        assert (status, error["code"]) == (413, "chunk_too_large")
        status, error = await uploading(gateway, data=b"not a container at all")
        assert (status, error["code"]) == (422, "undecodable_audio")
        with redis_server.client() as redis:
            assert list(redis.scan_iter("steno:*:session:*")) == []


async def test_an_uploader_that_leaves_leaves_no_session_behind(gateway: Gateway) -> None:
    go_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield noise(1)
        await go_on.wait()

    upload = asyncio.create_task(
        uploading(gateway, data=slow(), headers={"Content-Type": "audio/pcm"})
    )
    session_id = await only_session(gateway)
    upload.cancel()
    await asyncio.wait([upload])
    await until(lambda: gone(gateway, session_id))


async def gone(gateway: Gateway, session_id: str) -> bool:
    return await gateway.store.snapshot(session_id) is None


async def test_saved_transcripts_are_listed_read_and_removed(gateway: Gateway) -> None:
    ids = [f"00000000-0000-4000-8000-00000000000{n}" for n in range(3)]
    for place, session_id in enumerate(ids):
        saved(gateway, session_id, f"text {place}", CREATED_MS + place)
    async with gateway.http.get("/api/transcripts?limit=2") as answer:
        listed = (await answer.json())["transcripts"]
    assert [entry["session_id"] for entry in listed] == [ids[2], ids[1]]
    assert listed[0]["downloads"]["vtt"] == f"/api/transcripts/{ids[2]}.vtt"
    async with gateway.http.get(f"/api/transcripts?before={listed[-1]['id']}") as answer:
        listed = (await answer.json())["transcripts"]
    assert [entry["session_id"] for entry in listed] == [ids[0]]
    for ending, kind, content in (
        ("", "application/json", None),
        (".txt", "text/plain", b"text 0"),
        (".srt", "application/x-subrip", b"1\n"),
        (".vtt", "text/vtt", b"WEBVTT\n"),
    ):
        async with gateway.http.get(f"/api/transcripts/{ids[0]}{ending}") as answer:
            assert (answer.status, answer.content_type) == (200, kind)
            body = await answer.read()
        assert content is None or body == content
    async with gateway.http.delete(f"/api/transcripts/{ids[0]}") as answer:
        assert answer.status == 204
    assert Archive(gateway.services.settings.output).read(ids[0], "json") is None


async def test_the_state_of_a_gateway_is_shown(gateway: Gateway) -> None:
    async with gateway.recording(), gateway.http.get("/status") as answer:
        assert await answer.json() == {
            "status": "degraded", "active_clients": 1, "engine_ready": False, "transcribers": 0,
            "ready": {"accepting": True},
        }  # fmt: skip
    async with gateway.http.get("/metrics") as answer:
        assert "steno_gateway_chunks_total" in await answer.text()


async def test_a_gateway_that_leaves_sends_its_clients_elsewhere(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with running(redis_server, tmp_path) as gateway:
        pcm = noise(2)
        async with (
            gateway.recording() as (session_id, client),
            gateway.socket(f"{SESSIONS}/{session_id}/listen") as listener,
            gateway.http.get(f"{SESSIONS}/{session_id}/events") as events,
        ):
            await listener.hear("session_created")
            await client.chunks(cut(pcm, 1_600))
            gateway.services.life.draining.set()
            leaving = asyncio.create_task(gateway.services.sockets.dismiss(1.0))
            goaway = await client.hear("status", status="goaway")
            assert 0 <= goaway["in_ms"] <= 1_000
            assert "event" not in goaway
            assert await client.hear_end() == 1012
            assert await listener.hear_end() == 1012
            await read_events(events)
            await leaving
        await gateway.became(session_id, "reconnecting")
        assert await gateway.pcm(session_id) == pcm
        async with gateway.socket(f"{SESSIONS}/{session_id}/ws") as late:
            assert await late.hear_end() == 1012
        async with gateway.http.get("/readyz") as answer:
            assert answer.status == 503
