"""R3: `/sendAudio`: sessions by readable names, chunks of 100 ms as base64, errors in its words."""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.integration.dialect_support import (
    Speaker,
    conversing,
    engine,
    session_ids,
    session_of,
    speaking,
    stored,
)
from tests.integration.gateway_support import Gateway, cut, noise, running, until
from tests.redis_servers import RedisServer

from steno_common.messages import Final, Partial, Prosody, encode
from steno_common.store.names import NameStore
from steno_common.store.sessions import SessionStore

PATH = "/sendAudio"
NAME = "golden-eagle-427"
OFTEN = {"max_audio_chunks_per_second": 1000.0}
KEYS = {"api_keys": "me:0123456789abcdef,you:fedcba9876543210"}
MINE, YOURS = {"X-Api-Key": "0123456789abcdef"}, {"X-Api-Key": "fedcba9876543210"}


def chunk(number: int) -> bytes:
    """Give 100 ms of audio that say their number."""
    return (number % 30_000).to_bytes(2, "little") * 1_600


def chunks(first: int, last: int) -> list[bytes]:
    return [chunk(number) for number in range(first, last + 1)]


async def begun(gateway: Gateway, client: Speaker, *audio: bytes) -> str:
    """Send the first chunks of a session; gives its id once they are stored."""
    await client.audio(NAME, *audio)
    session_id = await session_of(gateway, NAME)
    await stored(gateway, session_id, sum(map(len, audio)) // 2)
    return session_id


def refusal(code: str, message: str, status: int) -> dict[str, object]:
    return {"type": "error", "code": code, "message": message, "statusCode": status}


async def test_a_readable_name_makes_a_session_that_has_it(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """R3: WebSocket `/sendAudio` with `sessionId` `golden-eagle-427` and base64 PCM."""
    async with conversing(redis_server, tmp_path, f"{PATH}?language=de") as (gateway, client):
        session_id = await begun(gateway, client, *chunks(1, 5))
        assert await gateway.pcm(session_id) == b"".join(chunks(1, 5))
        session = (await gateway.snapshot(session_id)).session
        assert (session.name, session.metadata["name"], session.language) == (NAME, NAME, "de")
        assert client.heard == []


async def test_results_come_back_on_the_socket_and_a_session_can_be_ended(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """R3: partial results with stability; emotion dynamics where they are known."""
    async with conversing(redis_server, tmp_path, PATH) as (gateway, client):
        session_id = await begun(gateway, client, chunk(1))
        partial = encode(Partial("hel", (), 0, 800, 1.0, 0.625, 1, 0, "en"))
        await until(lambda: _heard_by(gateway, session_id, partial))
        heard = await client.hear("transcript")
        assert (heard["transcriptText"], heard["isPartial"], heard["stabilityScore"]) == (
            "hel", True, 0.625,
        )  # fmt: skip
        spoken = Final("hello", (), 0, 1_600, 1.0, 1, 1, "en", Prosody(0.5, 1.0, 0.25))
        await gateway.commit(session_id, events=[spoken])
        heard = await client.hear("transcript", isPartial=False)
        assert heard["sessionId"] == NAME
        assert (heard["transcriptText"], heard["sourceLanguage"]) == ("hello", "en")
        assert heard["emotionDynamics"] == {"volume": 0.5, "rate": 1.0, "energy": 0.25}
        await client.end(NAME)
        await gateway.finish(session_id, "goodbye")
        assert (await client.hear("transcript"))["transcriptText"] == "goodbye"
        ended = await client.hear("sessionEnded", sessionId=NAME)
        assert (ended["id"], ended["transcriptText"]) == (session_id, "goodbye")


async def _heard_by(gateway: Gateway, session_id: str, payload: bytes) -> bool:
    return await gateway.doorbells.publish([(session_id, payload)]) > 0


async def test_one_socket_carries_several_sessions(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """R3, decided: each frame goes to the session that it names."""
    names = ["golden-eagle-427", "quiet-fox-12", "Bär:7"]
    async with conversing(redis_server, tmp_path, PATH) as (gateway, client):
        for number in range(8):
            for place, name in enumerate(names):
                await client.audio(name, chunk(100 * place + number))
        for place, name in enumerate(names):
            session_id = await session_of(gateway, name)
            await stored(gateway, session_id, 8 * 1_600)
            assert await gateway.pcm(session_id) == b"".join(chunks(100 * place, 100 * place + 7))
        assert len(await session_ids(gateway)) == 3
        await gateway.commit(await session_of(gateway, names[1]), "of the fox")
        heard = await client.hear("transcript")
        assert (heard["sessionId"], heard["transcriptText"]) == ("quiet-fox-12", "of the fox")


@pytest.mark.parametrize("closed", [True, False])
async def test_the_same_name_on_a_new_socket_goes_on_with_the_same_session(
    closed: bool, redis_server: RedisServer, tmp_path: Path
) -> None:
    """R3, decided: a client that comes back in mid-session loses nothing, doubles nothing."""
    async with (
        running(redis_server, tmp_path) as gateway,
        engine(gateway),
        AsyncExitStack() as sockets,
    ):
        last = 0
        old: list[Speaker] = []
        for _ in range(6):
            client = await sockets.enter_async_context(speaking(gateway, PATH))
            await client.audio(NAME, *chunks(last + 1, last + 9))
            last += 9
            if closed:
                await client.ws.close()
            else:
                session_id = await session_of(gateway, NAME)
                await stored(gateway, session_id, 1_600)
                # A round trip: what was sent before it was read.
                await client.ws.send_str("{")
                await client.hear("error", code="INVALID_JSON")
            old.append(client)
        session_id = await session_of(gateway, NAME)
        await stored(gateway, session_id, last * 1_600)
        assert await gateway.pcm(session_id) == b"".join(chunks(1, last))
        assert len(await session_ids(gateway)) == 1
        if not closed:
            await old[0].audio(NAME, chunk(999))
            assert (await old[0].hear("error"))["code"] == "CONNECTION_SUPERSEDED"
            await gateway.commit(session_id, "for the newest")
            assert (await old[-1].hear("transcript"))["transcriptText"] == "for the newest"
            assert await gateway.pcm(session_id) == b""


def slowly(monkeypatch: pytest.MonkeyPatch, kind: type, name: str, seconds: float) -> None:
    """Have a call of the store take longer."""
    call = getattr(kind, name)

    async def slow(*args: Any, **more: Any) -> Any:
        await asyncio.sleep(seconds)
        return await call(*args, **more)

    monkeypatch.setattr(kind, name, slow)


async def test_a_close_is_answered_once_what_came_before_it_is_stored(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R3, decided: so a client may go on at another gateway as soon as its socket is closed."""
    slowly(monkeypatch, SessionStore, "append", 0.3)
    async with conversing(redis_server, tmp_path, PATH) as (gateway, client):
        await client.audio(NAME, *chunks(1, 9))
        await client.ws.close()
        session_id = await session_of(gateway, NAME)
        assert await gateway.pcm(session_id) == b"".join(chunks(1, 9))


async def test_what_comes_while_a_session_is_looked_for_waits_within_its_bound(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R3: 5 s of audio at most, also before the session is there."""
    slowly(monkeypatch, NameStore, "bind", 1.0)
    async with conversing(redis_server, tmp_path, PATH, **OFTEN) as (gateway, client):
        await client.audio(NAME, *chunks(1, 51))
        assert (await client.next())["code"] == "BUFFER_FULL"
        async with gateway.http.get(f"/api/streaming/sessions?name={NAME}") as answer:
            assert await answer.json() == {"sessions": []}  # so it was not the session that refused
        session_id = await session_of(gateway, NAME)
        await stored(gateway, session_id, 50 * 1_600)
        assert await gateway.pcm(session_id) == b"".join(chunks(1, 50))


async def test_results_of_the_time_between_two_sockets_come_on_the_second(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with running(redis_server, tmp_path) as gateway, engine(gateway):
        async with speaking(gateway, PATH) as client:
            session_id = await begun(gateway, client, chunk(1))
            await gateway.commit(session_id, "before")
            await client.hear("transcript")
        await gateway.became(session_id, "reconnecting")
        async with speaking(gateway, PATH) as other:
            await other.audio("another", chunk(1))
            await stored(gateway, await session_of(gateway, "another"), 1_600)
            async with gateway.http.get("/status") as answer:
                assert (await answer.json())["engine_ready"] is True
            await gateway.commit(session_id, "between")
            await other.audio(NAME, chunk(2))
            assert (await other.hear("transcript"))["transcriptText"] == "between"


async def test_after_its_end_a_name_begins_a_new_session(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """R3, decided: the end of a session frees its name, on the same socket and on others."""
    async with conversing(redis_server, tmp_path, PATH) as (gateway, client):
        await client.audio(NAME, *chunks(1, 3))
        await client.end(NAME)
        await client.audio(NAME, *chunks(11, 13))
        await until(lambda: _count(gateway, 2))
        second = await session_of(gateway, NAME)
        (first,) = set(await session_ids(gateway)) - {second}
        await gateway.marked(first)
        await stored(gateway, second, 4_800)
        assert await gateway.pcm(first) == b"".join(chunks(1, 3))
        assert await gateway.pcm(second) == b"".join(chunks(11, 13))
        await gateway.finish(first, "the first")
        assert (await client.hear("sessionEnded"))["id"] == first
        await client.end(NAME)
        await gateway.finish(second, "the second")
        assert (await client.hear("sessionEnded"))["id"] == second
        async with speaking(gateway, PATH) as other:
            await other.audio(NAME, chunk(21))
            await until(lambda: _count(gateway, 3))


async def _count(gateway: Gateway, how_many: int) -> bool:
    return len(await session_ids(gateway)) == how_many


async def test_a_session_that_is_gone_from_redis_begins_anew(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with running(redis_server, tmp_path) as gateway, engine(gateway):
        async with speaking(gateway, PATH) as client:
            await client.audio(NAME, chunk(1))
            first = await session_of(gateway, NAME)
        await gateway.store.remove(first)
        async with speaking(gateway, PATH) as client:
            await client.audio(NAME, chunk(2))
            await until(lambda: _count(gateway, 1))
            assert await session_of(gateway, NAME) != first


async def test_two_tenants_may_use_one_name_and_reach_only_their_own(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """R3, decided: names belong to an API key."""
    async with (
        running(redis_server, tmp_path, **KEYS) as gateway,
        engine(gateway),
        speaking(gateway, PATH, headers=MINE) as mine,
        speaking(gateway, PATH, headers=YOURS) as yours,
    ):
        await mine.audio(NAME, chunk(1))
        await yours.audio(NAME, chunk(2))
        one = await session_of(gateway, NAME, "0123456789abcdef")
        two = await session_of(gateway, NAME, "fedcba9876543210")
        assert one != two
        for session_id, number in ((one, 1), (two, 2)):
            await stored(gateway, session_id, 1_600)
            assert await gateway.pcm(session_id) == chunk(number)
        await gateway.commit(one, "mine")
        assert (await mine.hear("transcript"))["transcriptText"] == "mine"
        async with speaking(gateway, PATH) as nobody:
            assert (await nobody.next())["code"] == "UNAUTHORIZED"
            assert nobody.heard[0]["statusCode"] == 401
            assert await nobody.hear_end() == 4401
        async with gateway.http.get(f"/api/streaming/sessions?name={NAME}") as answer:
            assert answer.status == 401


async def test_a_listener_finds_a_session_by_its_name(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with conversing(redis_server, tmp_path, PATH) as (gateway, client):
        await client.audio(NAME, chunk(1))
        session_id = await session_of(gateway, NAME)
        async with gateway.http.get(f"/api/streaming/sessions?name={NAME}") as answer:
            (shown,) = (await answer.json())["sessions"]
        assert (shown["session_id"], shown["name"]) == (session_id, NAME)
        async with gateway.http.get("/api/streaming/sessions?name=nobody") as answer:
            assert await answer.json() == {"sessions": []}
        async with gateway.http.get("/api/streaming/sessions") as answer:
            assert (answer.status, (await answer.json())["code"]) == (400, "invalid_request")
        async with gateway.socket(f"/api/streaming/sessions/{session_id}/listen") as listener:
            await stored(gateway, session_id, 1_600)
            await gateway.commit(session_id, "for all")
            assert (await listener.hear("transcription_final"))["text_content"] == "for all"


async def test_more_than_ten_chunks_a_second_are_refused(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """R3: `RATE_LIMIT_EXCEEDED` 429, at most 10 a second; MAX_AUDIO_CHUNKS_PER_SECOND."""
    async with conversing(redis_server, tmp_path, PATH) as (gateway, client):
        clock = asyncio.get_running_loop().time
        began = clock()
        session_id = await begun(gateway, client, *chunks(1, 10))
        assert client.heard == []
        await client.audio(NAME, *chunks(11, 40))
        assert await client.next() == refusal(
            "RATE_LIMIT_EXCEEDED", "Too many audio chunks. Max 10 per second.", 429
        )
        await asyncio.sleep(0.5)
        await client.audio(NAME, chunk(50))
        before = len(client.heard)
        await client.end(NAME)  # waits for nothing that was refused
        await gateway.marked(session_id)
        assert before <= 30
        found = cut(await gateway.pcm(session_id), 3_200)
        assert found[:10] == chunks(1, 10)
        assert found[-1] == chunk(50)
        assert len(found) < 25 + 11 * (clock() - began - 0.5)


async def test_a_real_time_client_is_not_refused(redis_server: RedisServer, tmp_path: Path) -> None:
    """R3: 10 chunks a second of 3200 bytes are what a session has."""
    async with conversing(redis_server, tmp_path, PATH) as (gateway, client):
        for number in range(1, 31):
            await client.audio(NAME, chunk(number))
            await asyncio.sleep(0.1)
        session_id = await session_of(gateway, NAME)
        await stored(gateway, session_id, 30 * 1_600)
        assert await gateway.pcm(session_id) == b"".join(chunks(1, 30))
        assert client.heard == []


@pytest.mark.parametrize("audio", ["@@@@", "", "AAA=", "AAAAAA=="])
async def test_what_is_no_audio_is_refused_and_the_session_goes_on(
    audio: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    """R3: `INVALID_AUDIO_FORMAT` 400 "Audio must be PCM 16kHz mono"."""
    good = audio in {"AAA=", "AAAAAA=="}  # one sample, two samples
    async with conversing(redis_server, tmp_path, PATH) as (gateway, client):
        await client.audio(NAME, chunk(1))
        await client.audio(NAME, b"odd", **({} if good else {"audioData": audio}))
        assert await client.next() == refusal(
            "INVALID_AUDIO_FORMAT", "Audio must be PCM 16kHz mono", 400
        )
        if good:
            await client.audio(NAME, b"", audioData=audio)
        await client.audio(NAME, chunk(2))
        session_id = await session_of(gateway, NAME)
        await until(lambda: _ends_with(gateway, session_id, chunk(2)))


async def _ends_with(gateway: Gateway, session_id: str, pcm: bytes) -> bool:
    return (await gateway.pcm(session_id)).endswith(pcm)


async def test_five_seconds_wait_at_most_and_then_no_more_is_taken(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """R3: at most 5 s of audio of a session wait on the way; AUDIO_BUFFER_MAX_SECONDS."""
    async with conversing(redis_server, tmp_path, PATH, **OFTEN) as (gateway, client):
        await begun(gateway, client, chunk(1))
        inflow = gateway.services.memory.inflow
        inflow.storing.clear()
        await client.audio(NAME, *chunks(2, 3))
        assert await client.next() == refusal(
            "BUFFER_FULL", "Audio buffer is full. Max 5 seconds.", 503
        )
        assert inflow.waiting_bytes <= 5 * 32_000
        inflow.storing.set()


async def test_audio_waits_while_redis_does_not_answer(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R3: the buffer holds what an interruption of under 5 s leaves waiting; nothing is lost."""
    async with conversing(redis_server, tmp_path, PATH, **OFTEN) as (gateway, client):
        session_id = await begun(gateway, client, *chunks(1, 4))
        away, append = asyncio.Event(), type(gateway.store).append

        async def slow(*args: object) -> object:
            await away.wait()
            return await append(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(type(gateway.store), "append", slow)
        await client.audio(NAME, *chunks(5, 70))
        assert (await client.next())["code"] == "BUFFER_FULL"
        assert gateway.services.memory.inflow.waiting_bytes <= 2 * 5 * 32_000
        away.set()
        await until(lambda: _quiet(gateway))
        found = cut(await gateway.pcm(session_id), 3_200)
        assert found == chunks(1, len(found))
        assert 50 <= len(found) <= 56


async def _quiet(gateway: Gateway) -> bool:
    return gateway.services.memory.inflow.waiting_bytes == 0


async def test_hostile_input_disturbs_no_other_session(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with conversing(redis_server, tmp_path, PATH) as (gateway, honest):
        await honest.audio(NAME, chunk(1))
        session_id = await session_of(gateway, NAME)
        async with speaking(gateway, PATH) as client:
            for frame in ("{", "[]", "null", '{"action": 7}', "\x00", '{"action": "sendAudio"}'):
                await client.ws.send_str(frame)
                heard = await client.next()
                assert (heard["type"], heard["statusCode"]) == ("error", 400)
            await client.ws.send_bytes(b"\xff\xfe")
            assert (await client.next())["code"] == "INVALID_MESSAGE"
            await client.audio("x" * 128, chunk(1) * 60)
            assert (await client.next())["code"] == "CHUNK_TOO_LARGE"
            for _ in range(3_000):
                if client.ws.closed:
                    break
                await client.ws.send_str("{")
            await client.hear_end()
            assert client.heard[-1]["code"] == "TOO_MANY_MESSAGES"
        async with speaking(gateway, PATH) as client:
            await client.ws.send_str(json.dumps({"action": "sendAudio", "x": "y" * 2_000_000}))
            assert await client.hear_end() == 1009
        await honest.audio(NAME, chunk(2))
        await stored(gateway, session_id, 3_200)
        assert await gateway.pcm(session_id) == chunk(1) + chunk(2)
        assert honest.heard == []


async def test_a_session_in_trouble_does_not_disturb_those_on_the_same_socket(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    path, one = f"{PATH}?details=true", {"max_sessions": 1}
    async with conversing(redis_server, tmp_path, path, **one) as (gateway, client):
        await client.audio(NAME, chunk(1))
        session_id = await session_of(gateway, NAME)
        await client.audio("too-many", chunk(1))
        heard = await client.next()
        assert (heard["code"], heard["statusCode"], heard["sessionId"]) == (
            "TOO_MANY_SESSIONS", 503, "too-many",
        )  # fmt: skip
        await client.end("never-there")
        heard = await client.next()
        assert (heard["code"], heard["sessionId"]) == ("SESSION_NOT_FOUND", "never-there")
        await gateway.store.remove(session_id)
        assert (await client.hear("error"))["sessionId"] == NAME
        await until(lambda: _free(gateway))
        await client.audio("another", chunk(2))
        await stored(gateway, await session_of(gateway, "another"), 1_600)


async def _free(gateway: Gateway) -> bool:
    return gateway.services.admission.sessions == 0


async def test_a_session_that_says_nothing_is_left_and_found_again(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """R3, decided: without an end the silence and the abandoned rule end a session."""
    idle = {"socket_idle_seconds": 2.0}
    async with conversing(redis_server, tmp_path, PATH, **idle) as (gateway, client):
        await client.audio(NAME, chunk(1))
        session_id = await session_of(gateway, NAME)

        async def left() -> bool:
            await client.audio("another", chunk(1))
            await asyncio.sleep(0.1)
            return await gateway.status(session_id) == "reconnecting"

        await until(left)
        await client.audio(NAME, chunk(2))
        await gateway.became(session_id, "recording")
        await stored(gateway, session_id, 3_200)
        assert await gateway.pcm(session_id) == chunk(1) + chunk(2)
        assert client.heard == []


async def test_what_is_said_just_when_a_session_is_left_is_not_lost(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slowly(monkeypatch, SessionStore, "transition", 0.3)
    idle = {"socket_idle_seconds": 0.6}
    async with conversing(redis_server, tmp_path, PATH, **idle) as (gateway, client):
        for number in range(1, 7):
            await client.audio(NAME, chunk(number))
            for _ in range(7 + number % 2):
                await asyncio.sleep(0.1)
                await client.ws.send_str("{")  # the socket itself is not idle
        session_id = await session_of(gateway, NAME)
        await stored(gateway, session_id, 6 * 1_600)
        assert await gateway.pcm(session_id) == b"".join(chunks(1, 6))


async def test_many_clients_at_once_each_with_its_own_audio(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    many, often = 40, {"max_handshakes_per_second_per_ip": 10_000.0}
    async with running(redis_server, tmp_path, **often) as gateway, engine(gateway):

        async def one(number: int) -> None:
            name = f"eagle-{number}"
            async with speaking(gateway, PATH) as client:
                await client.audio(name, *chunks(number * 10, number * 10 + 9))
                session_id = await session_of(gateway, name)
                await stored(gateway, session_id, 16_000)
                expected = b"".join(chunks(number * 10, number * 10 + 9))
                assert await gateway.pcm(session_id) == expected
                assert client.heard == []

        async with asyncio.TaskGroup() as tasks:
            for number in range(many):
                tasks.create_task(one(number))
        assert len(await session_ids(gateway)) == many


async def test_two_sockets_that_begin_one_name_at_once_share_one_session(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with (
        running(redis_server, tmp_path) as one,
        running(redis_server, tmp_path / "other") as two,
        engine(one),
        speaking(one, PATH) as first,
        speaking(two, PATH) as second,
    ):
        await asyncio.gather(first.audio(NAME, chunk(1)), second.audio(NAME, chunk(1)))
        await until(lambda: _count(one, 1))
        assert await session_of(one, NAME) == await session_of(two, NAME)


async def test_a_draining_gateway_tells_its_clients_and_another_goes_on(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with (
        running(redis_server, tmp_path) as one,
        running(redis_server, tmp_path / "other") as two,
        engine(one),
    ):
        async with speaking(one, PATH) as client:
            await client.audio(NAME, *chunks(1, 5))
            session_id = await session_of(one, NAME)
            one.services.life.draining.set()
            await one.services.sockets.dismiss(0.1)
            assert await client.hear_end() == 1012
            assert client.heard[-1]["code"] == "SERVER_RESTARTING"
            assert client.heard[-1]["statusCode"] == 503
        async with speaking(two, PATH) as client:
            await client.audio(NAME, *chunks(6, 9))
            await stored(two, session_id, 9 * 1_600)
            assert await two.pcm(session_id) == b"".join(chunks(1, 9))


async def test_a_client_that_reads_nothing_loses_its_socket_and_nobody_else_anything(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with (
        conversing(redis_server, tmp_path, PATH, send_seconds=0.5) as (gateway, deaf),
        speaking(gateway, PATH) as honest,
    ):
        await deaf.audio("deaf", chunk(1))
        await honest.audio(NAME, chunk(2))
        session_id = await session_of(gateway, "deaf")
        await stored(gateway, session_id, 1_600)
        transport = deaf.ws._response.connection.transport  # type: ignore[union-attr]
        transport.pause_reading()
        await gateway.commit(session_id, *("word " * 20_000 for _ in range(100)))
        await gateway.became(session_id, "reconnecting")
        other = await session_of(gateway, NAME)
        await gateway.commit(other, "heard")
        assert (await honest.hear("transcript"))["transcriptText"] == "heard"
        transport.resume_reading()


async def test_the_duration_limit_ends_a_session_and_frees_its_name(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    path, limits = f"{PATH}?duration_limit=60", {"backlog_seconds": 100.0}
    second = noise(1)
    async with conversing(redis_server, tmp_path, path, limits, **OFTEN) as (gateway, client):
        for number in range(1, 16):
            await client.audio(NAME, 4 * second)
            session_id = await session_of(gateway, NAME)
            await stored(gateway, session_id, number * 64_000)
        await client.audio(NAME, second)
        assert (await client.hear("error"))["code"] == "DURATION_LIMIT"
        await gateway.marked(session_id)
        await client.audio(NAME, chunk(1))
        await until(lambda: _count(gateway, 2))
