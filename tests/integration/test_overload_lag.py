"""Text that lags: clients are told, operators can count it, with or without a transcriber."""

import asyncio
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from tests.integration.gateway_support import cut, noise, running, until
from tests.redis_servers import RedisServer

from steno_aggregator.watching import count_waiting
from steno_common.messages import Warned

CHUNKS = cut(noise(1), 3_200)


async def test_a_client_whose_audio_nobody_takes_is_told_once_and_once_more_when_it_is_done(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steno_gateway.domain.lag.TOLD_SECONDS", 0.3)
    monkeypatch.setattr("steno_gateway.feed.SWEEP_SECONDS", 0.05)
    async with (
        running(redis_server, tmp_path) as gateway,
        gateway.recording() as (session_id, client),
    ):
        await client.chunks(CHUNKS[:5])
        assert (await client.hear("warning"))["code"] == "high_latency"
        await client.chunks(CHUNKS[5:], first=6)
        await client.hear_stored(len(CHUNKS))
        await gateway.commit(session_id, "late")
        assert (await client.hear("warning"))["code"] == "latency_normal"
        assert [told["code"] for told in client.told("warning")] == [
            "high_latency", "latency_normal",
        ]  # fmt: skip
        await client.hear_done(len(CHUNKS))


async def test_a_late_final_is_over_once_what_waited_then_is_transcribed(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steno_gateway.feed.SWEEP_SECONDS", 0.05)
    late = Warned("high_latency", "text is 5 s behind the audio; nothing is lost")
    async with (
        running(redis_server, tmp_path) as gateway,
        gateway.recording() as (session_id, client),
    ):
        await client.chunks(CHUNKS[:5])
        await client.hear_stored(5)
        await gateway.commit(session_id, "late", events=[late])
        told = await client.hear("warning", code="high_latency")
        assert told["event"] > 0
        assert "event" not in await client.hear("warning", code="latency_normal")


async def test_the_aggregator_counts_what_waits_for_a_transcriber_that_is_not_there(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steno_aggregator.watching.WAITING_SECONDS", 0.02)

    def counted() -> float:
        labels = {"where": "unclaimed"}
        oldest = REGISTRY.get_sample_value("steno_audio_oldest_seconds", labels) or 0.0
        waiting = REGISTRY.get_sample_value("steno_audio_waiting_seconds", labels) or 0.0
        assert waiting == oldest, "one session waits"
        return waiting

    async with (
        running(redis_server, tmp_path) as gateway,
        gateway.recording() as (session_id, client),
    ):
        counting = asyncio.create_task(count_waiting(gateway.windows), name="count waiting")
        try:
            await client.chunks(CHUNKS)
            await until(lambda: asyncio.sleep(0, counted() > 0.3))
            await gateway.claim(session_id)
            await until(lambda: asyncio.sleep(0, counted() == 0.0))
        finally:
            counting.cancel()
