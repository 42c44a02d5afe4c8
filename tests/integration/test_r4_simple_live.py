"""R4: the simple live endpoints: audio in as binary frames, texts out, the state of the server."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.contract.stores import frozen
from tests.integration.dialect_support import (
    Speaker,
    conversing,
    engine,
    only_session,
    session_ids,
    speaking,
    stored,
)
from tests.integration.gateway_support import Gateway, cut, decoded, noise, running, until
from tests.integration.test_gateway_audio import encoded
from tests.redis_servers import RedisServer

CHUNK = noise(0.1)
KEY = "0123456789abcdef"


async def begun(gateway: Gateway, client: Speaker) -> str:
    """Send the first chunk of the only session; gives its id once it is stored."""
    await client.ws.send_bytes(CHUNK)
    session_id = await only_session(gateway)
    await stored(gateway, session_id, 1_600)
    return session_id


async def whole(gateway: Gateway, client: Speaker, pieces: list[bytes]) -> str:
    """Send all audio of the only session; gives its id once its end is stored."""
    for piece in pieces:
        await client.ws.send_bytes(piece)
    await client.ws.send_str("stop")
    session_id = await only_session(gateway)
    await gateway.marked(session_id)
    return session_id


async def test_audio_goes_in_as_binary_and_texts_come_out(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """R4: `/ws`: audio in as binary; out a text with its type and a timestamp."""
    async with conversing(redis_server, tmp_path, "/ws") as (gateway, client):
        audio = noise(1)
        for chunk in cut(audio, 3_200):
            await client.ws.send_bytes(chunk)
        session_id = await only_session(gateway)
        await stored(gateway, session_id, 16_000)
        assert await gateway.pcm(session_id) == audio
        before = time.time()
        await gateway.commit(session_id, "hello")
        heard = await client.next()
        assert set(heard) == {"text", "type", "timestamp"}
        assert (heard["text"], heard["type"]) == ("hello", "transcription")
        assert before - 0.1 <= heard["timestamp"] <= time.time() + 0.1
        await client.ws.send_str(json.dumps({"type": "stop"}))
        await gateway.finish(session_id, "goodbye")
        assert await client.hear_end() == 1000
        assert [each["text"] for each in client.heard] == ["hello", "goodbye"]


async def test_partials_come_to_those_who_ask(redis_server: RedisServer, tmp_path: Path) -> None:
    """R4, with `?partials=true`: texts that may still change."""
    async with conversing(redis_server, tmp_path, "/ws?partials=true") as (gateway, client):
        await client.ws.send_bytes(CHUNK)
        session_id = await only_session(gateway)
        await until(lambda: _rung(gateway, session_id))
        heard = await client.hear("partial")
        assert (heard["text"], set(heard)) == ("hel", {"text", "type", "timestamp"})


async def _rung(gateway: Gateway, session_id: str) -> bool:
    return await gateway.partial(session_id, "hel") > 0


@pytest.mark.parametrize("query", ["mime_type=audio/pcm%3Brate=8000", "sample_rate=8000"])
async def test_the_address_says_what_the_audio_is(
    query: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    data = noise(1, rate=8_000)
    async with conversing(redis_server, tmp_path, f"/ws?{query}&language=de") as (gateway, client):
        session_id = await whole(gateway, client, cut(data, 1_601))
        assert await gateway.pcm(session_id) == decoded("audio/pcm;rate=8000", data)
        assert (await gateway.snapshot(session_id)).session.language == "de"
        await gateway.finish(session_id)
        assert await client.hear_end() == 1000


async def test_a_recorder_of_a_browser_may_speak_webm(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """R4, decided: what MediaRecorder gives, empty pieces among it, is one of the formats."""
    data = encoded("webm", "libopus", 48_000, 1)
    path = "/ws?mime_type=audio/webm;codecs=opus"
    async with conversing(redis_server, tmp_path, path) as (gateway, client):
        session_id = await whole(gateway, client, [b"", *cut(data, 3_000), b""])
        assert await gateway.pcm(session_id) == decoded("audio/webm;codecs=opus", data)
        await gateway.finish(session_id)
        assert await client.hear_end() == 1000


@pytest.mark.parametrize("query", ["mime_type=image/png", "sample_rate=7", "channels=x"])
async def test_what_cannot_be_read_is_told_and_closed(
    query: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    async with (
        running(redis_server, tmp_path) as gateway,
        speaking(gateway, f"/ws?{query}") as client,
    ):
        heard = await client.next()
        assert set(heard) == {"type", "error", "code", "timestamp"}
        assert heard["type"] == "error"
        assert await client.hear_end() == 1008
        assert await session_ids(gateway) == []


async def test_who_leaves_ends_the_session_with_all_that_was_sent(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """R4, decided: nobody comes back to a `/ws`: its finals are still transcribed and saved."""
    async with running(redis_server, tmp_path) as gateway, engine(gateway):
        audio = noise(3)
        async with speaking(gateway, "/ws") as client:
            for chunk in cut(audio, 3_200):
                await client.ws.send_bytes(chunk)
        session_id = await only_session(gateway)
        await gateway.marked(session_id)
        assert await gateway.pcm(session_id) == audio
        await gateway.finish(session_id, "all")
        assert await gateway.status(session_id) == "completed"


async def recognised(gateway: Gateway, session_id: str) -> bytes:
    """Take all audio of a session through its end, and commit it; gives it."""
    found = bytearray()
    while True:
        entries = await gateway.entries(session_id)
        assert sum(len(entry.pcm) for entry in entries) <= 3 * 32_000
        assert gateway.services.memory.inflow.waiting_bytes <= 3 * (1 << 18)
        found += b"".join(entry.pcm for entry in entries)
        await gateway.commit(session_id, through=entries)
        if "end" in [entry.marker for entry in entries]:
            return bytes(found)
        await asyncio.sleep(0.01)


async def test_who_leaves_in_a_container_has_its_last_samples_too(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    data = encoded("ogg", "libopus", 48_000, 1)
    async with running(redis_server, tmp_path) as gateway, engine(gateway):
        async with speaking(gateway, "/ws?mime_type=audio/ogg") as client:
            for piece in cut(data, 3_000):
                await client.ws.send_bytes(piece)
        session_id = await only_session(gateway)
        await gateway.marked(session_id)
        assert await gateway.pcm(session_id) == decoded("audio/ogg", data)
        await gateway.finish(session_id)


async def test_a_client_that_is_faster_than_the_engine_is_held_up_and_loses_nothing(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """R4, decided: no credit in this protocol, so the socket is read as fast as audio is taken."""
    limits, queue = {"backlog_seconds": 3.0}, {"max_queued_bytes": 1 << 18}
    audio = noise(120)
    async with conversing(redis_server, tmp_path, "/ws", limits, **queue) as (gateway, client):

        async def send() -> None:
            for chunk in cut(audio, 3_200):
                await client.ws.send_bytes(chunk)
            await client.ws.send_str("stop")

        sending = asyncio.create_task(send())
        session_id = await only_session(gateway)
        await stored(gateway, session_id, 1_600)
        assert await recognised(gateway, session_id) == audio
        await sending
        await gateway.complete(session_id)
        assert await client.hear_end() == 1000
        assert [each for each in client.heard if each["type"] == "error"] == []


async def test_pings_are_answered_while_audio_waits(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """R4, decided: heartbeats are answered though no audio can be stored."""
    limits = {"backlog_seconds": 1.0}
    async with (
        running(redis_server, tmp_path, limits) as gateway,
        engine(gateway),
        speaking(gateway, "/ws", autoping=False) as client,
    ):
        for chunk in cut(noise(10), 3_200):
            await client.ws.send_bytes(chunk)
        session_id = await only_session(gateway)
        await until(lambda: _full(gateway, session_id))
        await client.ws.ping(b"are you there")
        async with asyncio.timeout(60):
            while (frame := await client.ws.receive()).type.name != "PONG":
                pass
        assert frame.data == b"are you there"
        assert (await gateway.snapshot(session_id)).received < 10 * 16_000
        await client.ws.close()
        assert len(await recognised(gateway, session_id)) == 10 * 32_000


async def _full(gateway: Gateway, session_id: str) -> bool:
    return (await gateway.snapshot(session_id)).received >= 14_000


async def test_crumbs_of_audio_are_gathered(redis_server: RedisServer, tmp_path: Path) -> None:
    """R4, decided: a client of tiny frames does not run out of chunks."""
    audio = noise(2)
    async with conversing(redis_server, tmp_path, "/ws") as (gateway, client):
        session_id = await whole(gateway, client, cut(audio, 64))
        assert await gateway.pcm(session_id) == audio
        assert (await gateway.snapshot(session_id)).chunks < 100
        await gateway.finish(session_id)
        assert await client.hear_end() == 1000


async def test_many_clients_have_each_their_own_recognition(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """R4: many clients at the same time, each with its own recogniser."""
    many = 20
    async with running(redis_server, tmp_path) as gateway, engine(gateway):

        async def one(number: int) -> list[str]:
            audio = number.to_bytes(2, "little") * 1_600
            async with speaking(gateway, "/ws") as client:
                await client.ws.send_bytes(audio)
                await client.ws.send_str("stop")
                assert await client.hear_end() == 1000
                return [each["text"] for each in client.heard if each["type"] == "transcription"]

        async def recognise() -> None:
            done: set[str] = set()
            while len(done) < many:
                for session_id in set(await session_ids(gateway)) - done:
                    if not await gateway.marks(session_id):
                        continue
                    pcm = await gateway.pcm(session_id)
                    assert pcm == pcm[:2] * 1_600
                    number = int.from_bytes(pcm[:2], "little")
                    await gateway.finish(session_id, f"number {number}")
                    done.add(session_id)
                await asyncio.sleep(0.01)

        async with asyncio.TaskGroup() as tasks:
            recognising = tasks.create_task(recognise())
            clients = [tasks.create_task(one(number)) for number in range(1, many + 1)]
        assert recognising.done()
        assert [each.result() for each in clients] == [[f"number {n}"] for n in range(1, many + 1)]


async def test_hostile_input_disturbs_nobody_else(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with conversing(redis_server, tmp_path, "/ws") as (gateway, honest):
        await honest.ws.send_bytes(CHUNK)
        session_id = await only_session(gateway)
        for attack in (b"\xff" * 1_402_201, "{" * 50_000, "\x00", b"RIFF" + b"\0" * 100):
            async with speaking(gateway, "/ws?mime_type=audio/wav") as client:
                if isinstance(attack, bytes):
                    await client.ws.send_bytes(attack)
                else:
                    await client.ws.send_str(attack)
                await client.ws.send_str("stop")
        async with speaking(gateway, "/ws") as client:
            for _ in range(3_000):
                if client.ws.closed:
                    break
                await client.ws.send_str("what?")
            await client.hear_end()
            assert client.heard[-1]["code"] == "too_many_messages"
        await honest.ws.send_bytes(CHUNK)
        await stored(gateway, session_id, 3_200)
        assert await gateway.pcm(session_id) == 2 * CHUNK
        await gateway.commit(session_id, "honest")
        assert (await honest.hear("transcription"))["text"] == "honest"


async def test_the_state_comes_at_once_and_on_every_change(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """R4: `/st`: the status at once and on every change; `GET /` and `/status` the same data."""
    async with running(redis_server, tmp_path) as gateway, speaking(gateway, "/st") as watcher:
        first = await watcher.next()
        assert set(first) == {"status", "type", "timestamp"}
        assert first["type"] == "status"
        assert first["status"] == {
            "status": "degraded", "active_clients": 0, "engine_ready": False, "transcribers": 0,
            "ready": {"accepting": True},
        }  # fmt: skip
        async with engine(gateway):
            now = (await watcher.next())["status"]
            assert (now["status"], now["engine_ready"], now["transcribers"]) == ("ok", True, 1)
            async with speaking(gateway, "/ws"):
                assert (await watcher.next())["status"]["active_clients"] == 1
                for path in ("/", "/status"):
                    async with gateway.http.get(path) as answer:
                        assert await answer.json() == watcher.heard[-1]["status"]
            assert (await watcher.next())["status"]["active_clients"] == 0
        assert (await watcher.next())["status"]["engine_ready"] is False


async def test_a_page_from_elsewhere_may_not_watch(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with running(redis_server, tmp_path) as gateway:
        for door in ("/ws", "/st", "/sendAudio"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await gateway.http.ws_connect(door, headers={"Origin": "https://elsewhere.test"})
            assert refused.value.status == 403


async def test_a_failed_engine_degrades_and_clients_are_told(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """R4: a failed engine degrades (clients are told), never brings the server down."""
    async with running(redis_server, tmp_path) as gateway:
        async with engine(gateway), speaking(gateway, "/ws") as client:
            session_id = await begun(gateway, client)
            assert client.heard == []
            await gateway.services.status.now()
        async with speaking(gateway, "/ws") as client:
            heard = await client.next()
            assert (heard["type"], heard["code"]) == ("error", "engine_unavailable")
            await client.ws.send_bytes(CHUNK)
            await until(lambda: _two(gateway))
            await client.hear("error", code="high_latency")
            session_id = (await session_ids(gateway))[-1]
            await gateway.commit(session_id, "it is back")
            assert (await client.hear("transcription"))["text"] == "it is back"


async def _two(gateway: Gateway) -> bool:
    return len(await session_ids(gateway)) == 2


async def test_a_store_that_is_away_degrades_and_nothing_is_lost(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """R4: Redis that fails degrades: `/st` and `/ws` are told, the audio waits, texts come."""
    async with (
        conversing(redis_server, tmp_path, "/ws") as (gateway, client),
        speaking(gateway, "/st") as watcher,
    ):
        session_id = await begun(gateway, client)
        with frozen(redis_server):
            await client.ws.send_bytes(CHUNK)
            assert (await client.hear("error"))["code"] == "store_unavailable"
            while (await watcher.next())["status"]["engine_ready"]:
                pass
            assert watcher.heard[-1]["status"]["status"] == "degraded"
            await client.ws.send_bytes(CHUNK)
        while not (await watcher.next())["status"]["engine_ready"]:
            pass
        await stored(gateway, session_id, 4_800)
        assert await gateway.pcm(session_id) == 3 * CHUNK
        await gateway.commit(session_id, "all of it")
        assert (await client.hear("transcription"))["text"] == "all of it"


async def test_a_client_that_falls_silent_is_ended_at_once(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    idle = {"socket_idle_seconds": 2.0}
    async with conversing(redis_server, tmp_path, "/ws", **idle) as (gateway, client):
        await client.ws.send_bytes(CHUNK)
        assert (await client.next())["code"] == "idle_timeout"
        assert await client.hear_end() == 4408
        session_id = await only_session(gateway)
        await gateway.marked(session_id)
        assert await gateway.pcm(session_id) == CHUNK


async def test_a_clean_shutdown_closes_every_socket(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """R4: clean shutdown closes every socket; what was sent is stored."""
    async with (
        conversing(redis_server, tmp_path, "/ws") as (gateway, live),
        speaking(gateway, "/st") as watcher,
    ):
        session_id = await begun(gateway, live)
        gateway.services.life.draining.set()
        await gateway.services.sockets.dismiss(0.2)
        assert await live.hear_end() == 1012
        assert await watcher.hear_end() == 1012
        assert live.heard[-1]["code"] == "restart"
        await gateway.marked(session_id)
        assert await gateway.pcm(session_id) == CHUNK


async def test_keys_are_asked_for_at_these_doors_too(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with running(redis_server, tmp_path, api_keys=f"me:{KEY}") as gateway:
        async with speaking(gateway, "/ws") as client:
            heard = await client.next()
            assert (heard["type"], heard["code"]) == ("error", "unauthorized")
            assert await client.hear_end() == 4401
        async with speaking(gateway, "/st") as watcher:
            assert (await watcher.next())["type"] == "status"
        async with (
            engine(gateway),
            speaking(gateway, "/ws", headers={"X-Api-Key": KEY}) as client,
        ):
            await client.ws.send_bytes(CHUNK)
            await stored(gateway, await only_session(gateway), 1_600)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"max_sessions": 1}, "too_many_sessions"),
        ({"max_connections_per_ip": 1}, "too_many_connections"),
        ({"max_handshakes_per_second_per_ip": 0.25}, "too_many_connections"),
    ],
)
async def test_the_limits_of_every_session_hold_here(
    settings: dict[str, Any], code: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    settings = {"clock": lambda: 0.0, **settings}
    async with conversing(redis_server, tmp_path, "/ws", **settings) as (gateway, first):
        await first.ws.send_bytes(CHUNK)
        await only_session(gateway)
        async with speaking(gateway, "/ws") as second:
            assert (await second.next())["code"] == code
            assert await second.hear_end() == 1013
