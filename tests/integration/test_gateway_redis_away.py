"""Redis goes away and comes back: sockets stay, and audio arrives once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.contract.stores import frozen as stopped
from tests.integration.gateway_support import SESSIONS, cut, noise, running, until
from tests.redis_servers import RedisServer

SECOND = noise(1)
CHUNKS = cut(SECOND, 3_200)


@asynccontextmanager
async def frozen(server: RedisServer, seconds: float) -> AsyncIterator[None]:
    """Have Redis answer nobody for a while; what it is asked meanwhile, it does afterwards."""

    def freeze() -> None:
        with server.client() as client:
            client.execute_command("CLIENT", "PAUSE", round(seconds * 1000), "ALL")

    thawed = asyncio.get_running_loop().time() + seconds
    await asyncio.to_thread(freeze)
    yield
    await asyncio.sleep(max(thawed - asyncio.get_running_loop().time(), 0))


async def test_audio_sent_while_redis_is_frozen_arrives_once(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    limits = {"silence_seconds": 1.0}
    async with (
        running(redis_server, tmp_path, limits) as gateway,
        gateway.recording() as (session_id, client),
    ):
        await client.chunks(CHUNKS[:2])
        await client.hear_stored(2)
        with stopped(redis_server):
            await client.chunks(CHUNKS[2:8], first=3)
            await client.say("ping", timestamp=1)
            await client.hear("pong")
            async with gateway.socket(f"{SESSIONS}/{session_id}/listen") as listener:
                assert (await listener.hear("error"))["code"] == "store_unavailable"
                assert await listener.hear_end() == 1013
        await client.chunks(CHUNKS[8:], first=9)
        await client.hear_stored(10)
        await client.act("stop")
        await gateway.marked(session_id)
        entries = await gateway.entries(session_id)
        assert [entry.sequence for entry in entries if not entry.marker] == list(range(1, 11))
        assert b"".join(entry.pcm for entry in entries) == SECOND
        assert [entry.marker for entry in entries if entry.marker] == ["end"]
        assert client.told("error") == []


async def test_http_says_that_the_store_is_away(redis_server: RedisServer, tmp_path: Path) -> None:
    async with running(redis_server, tmp_path) as gateway:
        session_id = await gateway.create()
        redis_server.kill()
        try:
            for method, path in (("POST", SESSIONS), ("GET", f"{SESSIONS}/{session_id}")):
                async with gateway.http.request(method, path) as answer:
                    assert (answer.status, (await answer.json())["code"]) == (
                        503, "store_unavailable",
                    )  # fmt: skip
                    assert answer.headers["Retry-After"] == "1"
            async with gateway.socket(f"{SESSIONS}/{session_id}/ws") as client:
                assert (await client.hear("error"))["code"] == "store_unavailable"
                assert await client.hear_end() == 1013
        finally:
            redis_server.start()


async def test_a_restarted_redis_is_heard_again_by_those_who_listened(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with (
        running(redis_server, tmp_path) as gateway,
        gateway.recording() as (session_id, client),
    ):
        await client.chunks(CHUNKS[:4])
        await client.hear_stored(4)

        async def heard() -> bool:
            return await gateway.partial(session_id, "still here") == 1

        await until(heard)
        await client.hear("transcription_partial")
        redis_server.restart()  # in this thread: the server dies with the one that starts it
        await client.chunks(CHUNKS[4:], first=5)
        await client.hear_stored(10)
        await until(heard)
        await client.hear("transcription_partial", text_content="still here")
        assert await gateway.pcm(session_id) == SECOND


async def test_a_redis_that_lost_audio_has_the_client_begin_where_it_knows(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with running(redis_server, tmp_path) as gateway:
        async with gateway.recording() as (session_id, client):
            await client.chunks(CHUNKS[:5])
            await client.hear_stored(5)
            keys = gateway.store.keys(session_id)
            await gateway.link.ask(keys.shard, lambda pipe: pipe.hset(keys.meta, "next", 4))
            await gateway.link.ask(keys.shard, lambda pipe: pipe.xtrim(keys.audio, maxlen=3))
            await client.chunks(CHUNKS[5:6], first=6)
            error = await client.hear("error")
            assert (error["code"], error["retryable"]) == ("store_unavailable", True)
            assert await client.hear_end() == 1013
        async with gateway.joined(session_id) as client:
            assert client.greeting["resend_from"] == 4


@pytest.mark.parametrize("frozen_first", [False, True])
async def test_a_client_that_leaves_a_frozen_redis_leaves_nothing_behind(
    redis_server: RedisServer, tmp_path: Path, frozen_first: bool
) -> None:
    async with running(redis_server, tmp_path) as gateway, gateway.recording() as (_, client):
        await client.chunks(CHUNKS[:5])
        async with frozen(redis_server, 2.5 if frozen_first else 0.2):
            await client.chunks(CHUNKS[5:], first=6)
            await client.ws.close()
