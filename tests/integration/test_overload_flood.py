"""A client that sends on without credit: it is read more slowly, and others notice nothing."""

import asyncio
from itertools import count
from pathlib import Path

import pytest
from tests.integration.gateway_support import Client, cut, noise, running
from tests.redis_servers import RedisServer

CHUNK = noise(0.1)
CHUNKS = cut(noise(4), 3_200)


async def test_a_client_that_ignores_its_credit_holds_up_nobody(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steno_gateway.connection.FARTHEST", 100)

    async def flood(client: Client) -> None:
        for number in count(1):
            await client.ws.send_bytes(number.to_bytes(4) + CHUNK)

    async with (
        running(redis_server, tmp_path, {"backlog_seconds": 2.0},
                max_chunks_per_second=50.0) as gateway,
        gateway.recording() as (flooding_id, flooding),
        gateway.recording() as (session_id, client),
    ):  # fmt: skip
        flooded = asyncio.create_task(flood(flooding))
        try:
            for number, chunk in enumerate(CHUNKS[:20], 1):
                await client.chunks([chunk], first=number)
                await client.hear_stored(number)
                await client.say("ping", timestamp=number)
                await client.hear("pong", timestamp=number)
        finally:
            flooded.cancel()
            await asyncio.wait([flooded])
            # What it has on the way would be read as slowly as it deserves.
            flooding.ws._conn.transport.abort()  # type: ignore[union-attr]
        assert await gateway.pcm(session_id) == b"".join(CHUNKS[:20])
        stored = await gateway.pcm(flooding_id)
        assert stored == len(stored) // len(CHUNK) * CHUNK
        assert len(stored) <= 2 * 32_000
        assert gateway.services.memory.inflow.waiting_bytes <= 4 << 20


async def test_what_is_not_taken_is_read_no_faster_than_chunks_may_come(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steno_gateway.connection.FARTHEST", 10)
    async with (
        running(redis_server, tmp_path, max_chunks_per_second=20.0) as gateway,
        gateway.recording() as (_, client),
    ):
        clock = asyncio.get_running_loop().time
        await client.chunks([CHUNK])
        await client.hear_stored(1)
        began = clock()
        # 90 come at once, 20 more wait for a second; the socket and its session go on.
        for _ in range(110):
            await client.chunks([CHUNK])
        await client.say("ping")
        await client.hear("pong")
        assert clock() - began >= 0.9
        await client.chunks([CHUNK], first=2)
        await client.hear_stored(2)
