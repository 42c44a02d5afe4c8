"""R2, metrics of a session: over HTTP, on the client's own socket, never with a label."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from tests.integration.gateway_support import (
    NOBODY,
    SESSIONS,
    Gateway,
    Json,
    cut,
    noise,
    running,
    until,
)
from tests.redis_servers import RedisServer

from steno_common.measured import GpuUse, Measured, Report, encode_measured
from steno_common.messages import Partial, Prosody, Word, encode
from steno_common.store.work import Commit
from steno_common.store.workers import WorkerStore

CHUNKS = cut(noise(1), 3_200)
LISTED = {
    "session_id", "measured_at", "latency_ms", "final_latency_ms", "chunks_processed",
    "chunks_pending", "lost_chunks", "refused_chunks", "errors", "connections", "audio_quality",
    "confidence", "engine_share", "gateway", "transcriber", "gpu",
}  # fmt: skip
GPU = GpuUse("H200", 0.5, 2_000_000_000, 4_000_000_000)


@pytest.fixture(autouse=True)
def quick_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steno_gateway.feed.SWEEP_SECONDS", 0.05)
    monkeypatch.setattr("steno_gateway.figuring.SAID_SECONDS", 0.05)


@pytest.fixture
async def gateway(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running(redis_server, tmp_path) as gateway:
        yield gateway


async def metrics(gateway: Gateway, session_id: str) -> Json:
    async with gateway.http.get(f"{SESSIONS}/{session_id}/metrics") as answer:
        assert answer.status == 200
        found: Json = await answer.json()
    return found


async def commit(gateway: Gateway, session_id: str, chunks: int, measured: Measured) -> None:
    """Commit the first chunks as a transcriber does that has measured them."""
    end, claim = chunks * 1_600, await gateway.claim(session_id)
    done = Commit(1, f"{chunks}-0", chunks, end, end, "", end, end, 0, (),
                  measured=encode_measured(measured))  # fmt: skip
    assert await gateway.work.commit(claim, done)
    await gateway.ring(session_id)


async def test_a_session_without_audio_has_all_fields_and_says_what_it_does_not_know(
    gateway: Gateway,
) -> None:
    found = await metrics(gateway, await gateway.create())
    assert found.keys() == LISTED
    assert found["latency_ms"] is found["audio_quality"] is found["transcriber"] is None
    assert (found["chunks_processed"], found["chunks_pending"]) == (0, 0)
    assert found["gpu"] == {"available": False}


async def test_what_the_transcriber_measures_is_told_with_how_it_stands_itself(
    gateway: Gateway,
) -> None:
    workers = WorkerStore(gateway.link, gateway.services.limits)
    report = Report(1, 1, strained=False, cpu_percent=50.0, memory_bytes=10**9, gpu=GPU)
    await workers.beat("w", report)
    measured = Measured(time.time_ns() // 10**6, "w", None, 0.9, 10, 0.8, 0.06, 2, 1)
    async with gateway.recording() as (session_id, client):
        await client.chunks(CHUNKS)
        await client.hear_stored(10)
        await commit(gateway, session_id, 6, measured)
        await client.hear_done(6)
        found = await metrics(gateway, session_id)
    assert (found["chunks_processed"], found["chunks_pending"]) == (6, 4)
    assert (found["audio_quality"], found["confidence"]) == (0.9, 0.8)
    assert (found["lost_chunks"], found["errors"], found["connections"]) == (2, 1, 1)
    assert found["engine_share"] == 0.1
    assert found["transcriber"] == {"cpu_percent": 50.0, "memory_mb": 1000.0}
    assert found["gpu"] == {
        "available": True, "name": "H200", "utilisation": 0.5,
        "memory_used_mb": 2000.0, "memory_total_mb": 4000.0,
    }  # fmt: skip


async def test_what_the_gateway_measures_is_told_by_any_gateway(
    gateway: Gateway, redis_server: RedisServer, tmp_path: Path
) -> None:
    async with gateway.recording() as (session_id, client):
        await client.chunks(CHUNKS[:5])
        await client.hear_stored(5)
        await client.chunks(CHUNKS[:1], first=9)
        await client.hear("error", code="sequence_gap")
        partial = Partial("w", (Word("w", 0, 8_000, 1.0),), 0, 8_000, 1.0, 0.5, 5, 0)
        await until(lambda: _heard(gateway, session_id, partial))
        await client.hear("transcription_partial")
        async with running(redis_server, tmp_path / "other") as other:

            async def known() -> bool:
                return (await metrics(other, session_id))["latency_ms"] is not None

            await until(known)
            found = await metrics(other, session_id)
    assert 0 <= found["latency_ms"] < 3_600_000
    assert (found["refused_chunks"], found["errors"]) == (1, 1)
    assert found["gateway"]["memory_mb"] > 10


async def _heard(gateway: Gateway, session_id: str, partial: Partial) -> bool:
    return bool(await gateway.doorbells.publish([(session_id, encode(partial))]))


async def test_a_client_that_asks_hears_its_metrics_again_and_again(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = await gateway.create()
    path = f"{SESSIONS}/{session_id}/ws?metrics=1"
    async with gateway.socket(path) as client:
        await client.chunks(CHUNKS)
        first = await client.hear("metrics")
        second = await client.hear("metrics", chunks_pending=10)
    assert first.keys() == second.keys() == LISTED | {"type"}
    async with gateway.joined(session_id) as quiet:
        await asyncio.sleep(0)
        await quiet.say("ping")
        await quiet.hear("pong")
        assert quiet.told("metrics") == []


@pytest.mark.parametrize("seconds", ["0", "61", "-1", "x", "", "1.5", "99999999999999999999"])
async def test_any_other_pause_than_1_to_60_seconds_is_refused(
    gateway: Gateway, seconds: str
) -> None:
    session_id = await gateway.create()
    async with gateway.socket(f"{SESSIONS}/{session_id}/ws?metrics={seconds}") as client:
        assert (await client.hear("error"))["code"] == "invalid_message"


async def test_of_a_session_that_is_not_there_nothing_is_told(gateway: Gateway) -> None:
    async with gateway.http.get(f"{SESSIONS}/{NOBODY}/metrics") as answer:
        assert answer.status == 404


async def test_no_session_is_in_the_gateways_own_metrics(gateway: Gateway) -> None:
    async with gateway.recording() as (session_id, client):
        await client.chunks(CHUNKS)
        await client.hear_stored(10)
        await metrics(gateway, session_id)
        async with gateway.http.get("/metrics") as answer:
            assert session_id not in await answer.text()


async def test_r3_the_latest_emotion_of_a_session_is_told_for_a_minute(gateway: Gateway) -> None:
    async def told(age_ms: int) -> Json | None:
        async with gateway.recording() as (session_id, client):
            await client.chunks(CHUNKS)
            await client.hear_stored(10)
            at_ms = time.time_ns() // 10**6 - age_ms
            measured = Measured(at_ms, "w", Prosody(0.6, 1.2, 0.3))
            await commit(gateway, session_id, 10, measured)
            async with gateway.http.get(f"{SESSIONS}/{session_id}") as answer:
                found: Json | None = (await answer.json()).get("emotion")
        return found

    fresh = await told(1_000)
    assert fresh is not None
    assert fresh.pop("measured_at").endswith("Z")
    assert fresh == {"volume": 0.6, "rate": 1.2, "energy": 0.3}
    assert await told(61_000) is None


async def test_r3_partials_and_utterances_show_how_they_were_said(gateway: Gateway) -> None:
    prosody = Prosody(0.5, 1.0, 0.25)
    partial = Partial("w", (), 0, 100, 1.0, 0.5, 1, 0)
    async with gateway.recording() as (session_id, client):
        for each in (partial, msgspec.structs.replace(partial, prosody=prosody)):
            await until(lambda each=each: _heard(gateway, session_id, each))  # type: ignore[misc]
            heard = await client.hear("transcription_partial")
            shown = {"volume": 0.5, "rate": 1.0, "energy": 0.25} if each.prosody else None
            assert heard.get("prosody") == shown
            assert ("prosody" in heard) is (shown is not None)
