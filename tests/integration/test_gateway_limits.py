"""Each limit refuses with its own code, and gives the place back when somebody leaves."""

import asyncio
import time
from pathlib import Path

import pytest
from tests.integration.gateway_support import SESSIONS, cut, noise, running, until
from tests.redis_servers import RedisServer

CHUNK = noise(0.1)


async def test_a_gateway_holds_so_many_sessions(redis_server: RedisServer, tmp_path: Path) -> None:
    async with running(redis_server, tmp_path, max_sessions=1) as gateway:
        waiting = await gateway.create()
        async with gateway.recording():
            async with gateway.socket(f"{SESSIONS}/{waiting}/ws") as client:
                error = await client.hear("error")
                assert (error["code"], error["retryable"]) == ("too_many_sessions", True)
                assert error["retry_after_ms"] == 5_000
                assert await client.hear_end() == 1013
            async with gateway.http.post(SESSIONS) as answer:
                assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
                assert (await answer.json())["code"] == "too_many_sessions"
        await until(lambda: asyncio.sleep(0, gateway.services.admission.sessions == 0))
        async with gateway.joined(waiting):
            pass


async def test_an_address_holds_so_many_sockets(redis_server: RedisServer, tmp_path: Path) -> None:
    async with running(redis_server, tmp_path, max_connections_per_ip=1) as gateway:
        session_id = await gateway.create()
        async with gateway.joined(session_id):
            for door in ("ws", "listen"):
                async with gateway.socket(f"{SESSIONS}/{session_id}/{door}") as client:
                    assert (await client.hear("error"))["code"] == "too_many_connections"
                    assert await client.hear_end() == 1013
            async with gateway.http.get(f"{SESSIONS}/{session_id}/events") as answer:
                assert (answer.status, (await answer.json())["code"]) == (
                    429, "too_many_connections",
                )  # fmt: skip


async def test_an_address_has_a_rate_of_handshakes(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    rate = {"max_handshakes_per_second_per_ip": 0.5}
    async with running(redis_server, tmp_path, clock=lambda: 0.0, **rate) as gateway:
        session_id = await gateway.create()
        async with gateway.joined(session_id):
            pass
        async with gateway.socket(f"{SESSIONS}/{session_id}/ws") as client:
            error = await client.hear("error")
            assert error["code"] == "too_many_connections"
            assert 0 < error["retry_after_ms"] <= 2_001
            assert await client.hear_end() == 1013
        async with gateway.http.post(SESSIONS) as answer:
            assert answer.status == 429


async def test_a_session_has_a_rate_of_chunks(redis_server: RedisServer, tmp_path: Path) -> None:
    async with (
        running(redis_server, tmp_path, max_chunks_per_second=5.0) as gateway,
        gateway.recording() as (session_id, client),
    ):
        began = time.monotonic()
        await client.chunks(30 * [CHUNK])
        error = await client.hear("error")
        assert (error["code"], error["retryable"]) == ("rate_limited", True)
        first = error["resend_from"]
        assert 21 < first <= 23 + 5 * (time.monotonic() - began)
        assert 0 < error["retry_after_ms"] <= 201
        await asyncio.sleep(error["retry_after_ms"] / 1000)
        await client.chunks([CHUNK], first=first)
        await client.hear_stored(first)
        assert len(client.told("error")) == 1
        assert await gateway.pcm(session_id) == first * CHUNK


async def test_a_session_is_reconnected_only_so_often(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with running(redis_server, tmp_path, max_reconnections=2) as gateway:
        session_id = await gateway.create()
        for _ in range(2):
            async with gateway.joined(session_id):
                pass
        async with gateway.socket(f"{SESSIONS}/{session_id}/ws") as client:
            assert (await client.hear("error"))["code"] == "too_many_reconnections"
            assert await client.hear_end() == 1008


async def test_a_client_is_told_half_a_minute_before_the_longest_duration(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with (
        running(redis_server, tmp_path) as gateway,
        gateway.recording(duration_limit=60) as (_, client),
    ):
        await client.chunks(cut(noise(31), 32_000))
        await client.hear("warning", code="duration_limit")
        await client.hear_stored(31)
        told = [warning["code"] for warning in client.told("warning")]
        assert told.count("duration_limit") == 1


async def test_audio_beyond_the_duration_ends_the_session_with_what_it_has(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    limits = {"backlog_seconds": 100.0}
    ten, last = bytes(320_000), noise(0.5)
    async with (
        running(redis_server, tmp_path, limits) as gateway,
        gateway.recording(duration_limit=60) as (session_id, client),
    ):
        await client.chunks([ten, ten, ten, ten, ten, ten, last, last])
        error = await client.hear("error")
        assert (error["code"], error["retryable"]) == ("duration_limit", False)
        await gateway.marked(session_id)
        assert await gateway.pcm(session_id) == 6 * ten
        await client.chunks([last], first=9)
        assert (await client.hear("error"))["code"] == "session_finished"
        await gateway.finish(session_id, "a minute")
        assert await client.hear_end() == 1000


async def test_too_many_chunks_end_the_session_with_what_it_has(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steno_gateway.domain.intake.Intake.__init__.__defaults__", (3, 0, 0))
    async with (
        running(redis_server, tmp_path) as gateway,
        gateway.recording() as (session_id, client),
    ):
        await client.chunks(4 * [CHUNK])
        assert (await client.hear("error"))["code"] == "too_many_chunks"
        await gateway.marked(session_id)
        assert await gateway.pcm(session_id) == 3 * CHUNK


async def test_a_socket_that_says_nothing_is_closed_though_it_answers_pings(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steno_gateway.socket.HEARTBEAT_SECONDS", 0.8)
    async with (
        running(redis_server, tmp_path, socket_idle_seconds=2.0) as gateway,
        gateway.recording() as (session_id, client),
    ):
        assert await client.hear_end() == 4408
        assert client.told("error")[-1]["code"] == "idle_timeout"
        await gateway.became(session_id, "reconnecting")


async def test_pings_keep_a_socket_and_so_does_waiting_for_the_words(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with (
        running(redis_server, tmp_path, socket_idle_seconds=1.5) as gateway,
        gateway.recording() as (session_id, client),
    ):
        for _ in range(7):
            await asyncio.sleep(0.3)
            await client.say("ping")
        await client.chunks([CHUNK])
        await client.act("stop")
        await asyncio.sleep(2.0)
        await gateway.finish(session_id, "late")
        assert await client.hear_end() == 1000


async def test_a_client_that_does_not_read_is_closed(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with running(redis_server, tmp_path, send_seconds=0.5) as gateway:
        session_id = await gateway.create()
        async with gateway.joined(session_id) as client:
            client.ws._conn.transport.pause_reading()  # type: ignore[union-attr]

            async def cut_off() -> bool:
                await gateway.partial(session_id, "x" * 300_000)
                return await gateway.status(session_id) == "reconnecting"

            await until(cut_off)
            client.ws._conn.transport.resume_reading()  # type: ignore[union-attr]


async def test_actions_that_wait_have_a_bound(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steno_gateway.ingest.MAX_ITEMS", 50)
    async with (
        running(redis_server, tmp_path) as gateway,
        gateway.recording() as (_, client),
    ):
        await client.chunks([CHUNK])
        await client.act(*(200 * ["finalize"]))
        error = await client.hear("error")
        assert (error["code"], error["retryable"]) == ("rate_limited", True)


async def test_bytes_that_wait_have_a_bound(redis_server: RedisServer, tmp_path: Path) -> None:
    async with (
        running(redis_server, tmp_path, max_queued_bytes=10_000) as gateway,
        gateway.recording() as (session_id, client),
    ):
        data = noise(4)
        chunks = cut(data, 3_200)
        await client.chunks(chunks)
        error = await client.hear("error")
        assert error["code"] == "backlog_full"
        for go_on in range(error["resend_from"], len(chunks) + 1, 2):
            await client.hear_stored(go_on - 1) if go_on > 1 else None
            await client.chunks(chunks[go_on - 1 : go_on + 1], first=go_on)
        await client.hear_stored(len(chunks))
        assert await gateway.pcm(session_id) == data
