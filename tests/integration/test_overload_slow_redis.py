"""A Redis that answers nobody for a while: sockets stay, and what was sent is stored after it."""

import asyncio
from pathlib import Path

from tests.contract.stores import frozen
from tests.integration.gateway_support import Gateway, cut, noise, running
from tests.redis_servers import RedisServer

SOCKETS = 200
FROZEN_SECONDS = 10.0
CHUNKS = cut(noise(0.3), 3_200)


async def idle_talk(
    gateway: Gateway, session_id: str, joined: asyncio.Semaphore, thawed: asyncio.Event
) -> None:
    """Say little on a socket that is held all the while; ends once all of it is stored."""
    async with gateway.joined(session_id) as client:
        await client.chunks(CHUNKS[:1])
        await client.hear_stored(1)
        joined.release()
        while not thawed.is_set():
            await client.say("ping")
            await client.hear("pong")
            await client.chunks(CHUNKS[1:], first=2)  # again and again: each is stored once
            await asyncio.sleep(2)
        while client.told("ack")[-1]["sequence_number"] < len(CHUNKS):
            await client.hear("ack")
        assert client.told("error") == []


async def test_two_hundred_sockets_outlive_a_redis_that_is_frozen_for_ten_seconds(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with running(
        redis_server, tmp_path, max_connections_per_ip=SOCKETS + 1,
        max_handshakes_per_second_per_ip=1_000.0,
    ) as gateway:  # fmt: skip
        sessions = [await gateway.create() for _ in range(SOCKETS)]
        thawed, joined = asyncio.Event(), asyncio.Semaphore(0)
        async with asyncio.TaskGroup() as tasks:
            for batch in (sessions[at : at + 20] for at in range(0, SOCKETS, 20)):
                for session_id in batch:
                    tasks.create_task(idle_talk(gateway, session_id, joined, thawed))
                for _ in batch:
                    await joined.acquire()
            with frozen(redis_server):
                await asyncio.sleep(FROZEN_SECONDS)
            thawed.set()
        for session_id in sessions:
            assert await gateway.pcm(session_id) == b"".join(CHUNKS)


async def test_a_redis_that_says_nothing_for_three_seconds_costs_three_seconds(
    each_redis: RedisServer, tmp_path: Path
) -> None:
    async with (
        running(each_redis, tmp_path) as gateway,
        gateway.recording() as (session_id, client),
    ):
        await client.chunks(CHUNKS[:1])
        await client.hear_stored(1)
        with frozen(each_redis):
            await client.chunks(CHUNKS[1:], first=2)
            await asyncio.sleep(3)
            assert client.told("ack")[-1]["sequence_number"] == 1
        await client.hear_stored(len(CHUNKS))
        assert client.told("error") == []
        assert await gateway.pcm(session_id) == b"".join(CHUNKS)
