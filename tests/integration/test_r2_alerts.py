"""R2, "Alerts to the client: latency > 3 s, memory < 1 GB, several reconnections"."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.integration.gateway_support import Client, Gateway, cut, noise, running, until
from tests.redis_servers import RedisServer

from steno_common.messages import Partial, Word, encode
from steno_gateway.domain.lag import HIGH_MS
from steno_gateway.domain.latency import STALLED_MS
from steno_gateway.domain.pressure import Memory
from steno_gateway.settings import GatewaySettings

CHUNKS = cut(noise(1), 3_200)
GIGABYTE = 1 << 30


@asynccontextmanager
async def taken(gateway: Gateway) -> AsyncIterator[tuple[str, Client]]:
    """Hold a socket whose second of audio a transcriber has taken."""
    async with gateway.recording() as (session_id, client):
        await client.chunks(CHUNKS)
        await client.hear_stored(10)
        await gateway.claim(session_id)
        yield session_id, client


async def heard(gateway: Gateway, session_id: str) -> bool:
    """Publish a partial of half of it; says whether a gateway heard it."""
    return await gateway.doorbells.publish([(session_id, encode(partial(0, 8_000)))]) > 0


def partial(start: int, end: int) -> Partial:
    return Partial("w", (Word("w", start, end, 1.0),), start, end, 1.0, 0.5, 5, 0)


async def test_a_client_whose_audio_is_taken_but_whose_partials_come_late_is_told(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert HIGH_MS == 3_000
    monkeypatch.setattr("steno_gateway.domain.lag.HIGH_MS", -1)
    monkeypatch.setattr("steno_gateway.feed.SWEEP_SECONDS", 0.05)
    async with (
        running(redis_server, tmp_path) as gateway,
        taken(gateway) as (session_id, client),
    ):
        await until(lambda: heard(gateway, session_id))
        assert (await client.hear("warning"))["code"] == "high_latency"
        assert client.told("transcription_partial"), "what came late is shown first"
        await gateway.commit(session_id, "done")
        assert (await client.hear("warning"))["code"] == "latency_normal"


async def test_a_client_whose_audio_is_taken_and_nothing_comes_of_it_is_told(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert STALLED_MS == 5_000
    monkeypatch.setattr("steno_gateway.domain.latency.STALLED_MS", 200)
    monkeypatch.setattr("steno_gateway.feed.SWEEP_SECONDS", 0.05)
    async with (
        running(redis_server, tmp_path) as gateway,
        taken(gateway) as (session_id, client),
    ):
        assert client.told("warning") == []
        await client.chunks([*CHUNKS, *CHUNKS], first=11)
        assert (await client.hear("warning"))["code"] == "high_latency"
        await gateway.commit(session_id, "done")
        assert (await client.hear("warning"))["code"] == "latency_normal"
        assert len(client.told("warning")) == 2


async def test_a_client_in_whose_audio_no_word_was_heard_is_told_nothing(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steno_gateway.domain.latency.STALLED_MS", 0)
    monkeypatch.setattr("steno_gateway.feed.SWEEP_SECONDS", 0.05)
    nothing = encode(Partial("", (), 0, 3 * 16_000, 0.0, 0.0, 30, 0))
    async with (
        running(redis_server, tmp_path) as gateway,
        gateway.recording() as (session_id, client),
    ):
        await client.chunks(CHUNKS)
        await client.hear_stored(10)
        await gateway.claim(session_id)

        async def heard() -> bool:
            return bool(await gateway.doorbells.publish([(session_id, nothing)]))

        await until(heard)
        await gateway.doorbells.publish([(session_id, encode(partial(0, 8_000)))])
        await client.hear("transcription_partial")
        await client.chunks([*CHUNKS, *CHUNKS], first=11)
        await client.hear_stored(30)
        await client.act("pause")
        await client.hear("status", status="paused")  # so the gateway has looked how it stands
        assert client.told("warning") == []
        assert len(client.told("transcription_partial")) == 1


async def test_a_client_whose_partials_come_in_time_is_told_nothing(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steno_gateway.domain.lag.HIGH_MS", 60_000)
    async with (
        running(redis_server, tmp_path) as gateway,
        taken(gateway) as (session_id, client),
    ):
        await until(lambda: heard(gateway, session_id))
        await client.hear("transcription_partial")
        await gateway.commit(session_id, "done")
        await client.hear_done(10)
        assert client.told("warning") == []


async def test_a_client_is_told_when_the_server_has_less_than_a_gigabyte_left(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steno_gateway.memory.LOOK_SECONDS", 0.02)
    assert GatewaySettings().low_memory_bytes == GIGABYTE
    left = [GIGABYTE + 1]
    async with (
        running(redis_server, tmp_path, machine=lambda: Memory(left[0], 16 * GIGABYTE)) as gateway,
        gateway.recording() as (_, client),
    ):
        await client.chunks(CHUNKS)
        await client.hear_stored(10)
        assert client.told("warning") == []
        left[0] = GIGABYTE - 1
        assert (await client.hear("warning"))["code"] == "low_memory"


async def test_a_client_that_came_back_several_times_is_told_of_block_mode(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with running(redis_server, tmp_path) as gateway:
        session_id = await gateway.create()
        for _ in range(3):
            async with gateway.joined(session_id) as client:
                await client.say("ping")
                await client.hear("pong")
                assert client.told("warning") == []
        async with gateway.joined(session_id) as client:
            warning = await client.hear("warning")
            assert warning["code"] == "reconnections"
            assert "block mode" in warning["message"]
