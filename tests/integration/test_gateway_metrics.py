"""What a gateway counts, as a scrape reads it."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.integration.gateway_support import Gateway, cut, noise, running, until, word_final
from tests.redis_servers import RedisServer

CHUNKS = cut(noise(1), 3_200)

Page = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
async def gateway(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running(redis_server, tmp_path) as gateway:
        yield gateway


async def scraped(gateway: Gateway) -> Page:
    async with gateway.http.get("/metrics") as answer:
        text = await answer.text()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def rise(before: Page, after: Page, name: str, **labels: str) -> float:
    key = name, tuple(sorted(labels.items()))
    return after.get(key, 0.0) - before.get(key, 0.0)


async def test_every_chunk_is_counted_by_what_became_of_it(gateway: Gateway) -> None:
    before = await scraped(gateway)
    async with gateway.recording() as (_, client):
        await client.chunks(CHUNKS)
        await client.hear_stored(10)
        after = await scraped(gateway)
    assert rise(before, after, "steno_gateway_chunks_total", result="stored") == 10
    assert rise(before, after, "steno_gateway_chunks_total", result="duplicate") == 0
    assert rise(before, after, "steno_gateway_append_seconds_count") == 10
    assert rise(before, after, "steno_redis_round_trip_seconds_count", script="append") >= 1


async def test_requests_are_counted_under_their_routes_not_under_their_addresses(
    gateway: Gateway,
) -> None:
    before = await scraped(gateway)
    name = "steno_gateway_requests_total"
    async with gateway.recording() as (session_id, _):
        for path in (f"/api/streaming/sessions/{session_id}", "/nothing/of/the/kind"):
            async with gateway.http.get(path):
                pass
    async with gateway.http.get("/api/streaming/sessions/" + "0" * 36):
        pass

    async def socket_counted() -> bool:
        route = "/api/streaming/sessions/{session_id}/ws"
        page = await scraped(gateway)
        return rise(before, page, name, method="GET", route=route, status="1xx") == 1

    await until(socket_counted)
    after = await scraped(gateway)
    sessions = "/api/streaming/sessions"
    one = f"{sessions}/{{session_id}}"
    assert rise(before, after, name, method="POST", route=sessions, status="2xx") == 1
    assert rise(before, after, name, method="GET", route=one, status="2xx") == 1
    assert rise(before, after, name, method="GET", route=one, status="4xx") == 1
    assert rise(before, after, name, method="GET", route="unknown", status="4xx") == 1
    assert rise(before, after, "steno_gateway_request_seconds_count", route=one) == 2
    assert not any("/metrics" in str(key) or session_id in str(key) for key in after)


async def test_a_final_is_timed_when_its_client_has_it_and_not_when_it_comes_again(
    gateway: Gateway,
) -> None:
    before = await scraped(gateway)
    async with gateway.recording() as (session_id, client):
        await client.chunks(CHUNKS)
        await client.hear_stored(10)
        made_ms = round(time.time() * 1000) - 2_500
        made = msgspec.structs.replace(word_final("w", 0, 16_000, 10, 1), created_ms=made_ms)
        await gateway.commit(session_id, "", events=[made])
        await client.hear("transcription_final")
    async with gateway.joined(session_id) as again:
        await again.hear("transcription_final")
        after = await scraped(gateway)
    name = "steno_gateway_delivery_seconds"
    assert rise(before, after, f"{name}_count", kind="final") == 1
    assert rise(before, after, f"{name}_bucket", kind="final", le="2.0") == 0
    assert 2.5 <= rise(before, after, f"{name}_sum", kind="final") < 3_600
