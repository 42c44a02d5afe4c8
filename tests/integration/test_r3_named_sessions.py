"""R3: a session with a readable name is found by it wherever a path takes its id."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.integration.dialect_support import Speaker, engine, session_of, speaking, stored
from tests.integration.gateway_support import (
    SESSIONS,
    Gateway,
    noise,
    read_events,
    running,
    word_final,
)
from tests.integration.translations_rig import translate
from tests.redis_servers import RedisServer

NAME = "golden-eagle-427"
KEYS = {"api_keys": "me:0123456789abcdef,you:fedcba9876543210",
        "token_secret": "a secret of more than thirty-two characters"}  # fmt: skip
MINE, YOURS = {"X-Api-Key": "0123456789abcdef"}, {"X-Api-Key": "fedcba9876543210"}


@asynccontextmanager
async def named(
    server: RedisServer, folder: Path, path: str = "/sendAudio", **settings: str
) -> AsyncIterator[tuple[Gateway, Speaker, str]]:
    """Speak in a session of this name; gives its id too."""
    key = MINE if settings else {}
    async with (
        running(server, folder, **settings) as gateway,
        engine(gateway),
        speaking(gateway, path, headers=key) as speaker,
    ):
        await speaker.audio(NAME, noise(0.1))
        session_id = await session_of(gateway, NAME, key.get("X-Api-Key"))
        await stored(gateway, session_id, 1_600)
        yield gateway, speaker, session_id


async def test_its_fields_its_metrics_and_its_tokens_are_found(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with named(redis_server, tmp_path, **KEYS) as (gateway, _, session_id):
        for path in ("", "/metrics"):
            async with gateway.http.get(f"{SESSIONS}/{NAME}{path}", headers=MINE) as answer:
                assert answer.status == 200
                assert (await answer.json())["session_id"] == session_id
        body = {"right": "listen"}
        path = f"{SESSIONS}/{NAME}/tokens"
        async with gateway.http.post(path, json=body, headers=MINE) as answer:
            assert (answer.status, (await answer.json())["session_id"]) == (201, session_id)


async def test_it_is_heard_by_its_name(redis_server: RedisServer, tmp_path: Path) -> None:
    async with (
        named(redis_server, tmp_path) as (gateway, _, session_id),
        gateway.socket(f"{SESSIONS}/{NAME}/listen") as listener,
    ):
        assert (await listener.hear("session_created"))["session_id"] == session_id
        await gateway.commit(session_id, "word")
        assert (await listener.hear("transcription_final"))["text_content"] == "word"
        async with gateway.http.get(f"{SESSIONS}/{NAME}/events") as stream:
            (name, _, fields), *_ = await read_events(stream, 1)
            assert (name, fields["session_id"]) == ("session.started", session_id)


async def test_a_name_is_good_for_its_own_key_alone(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with named(redis_server, tmp_path, **KEYS) as (gateway, _, session_id):
        for method, path in (("GET", ""), ("GET", "/metrics"), ("GET", "/events"), ("DELETE", "")):
            url = f"{SESSIONS}/{NAME}{path}"
            async with gateway.http.request(method, url, headers=YOURS) as answer:
                assert (answer.status, (await answer.json())["code"]) == (
                    400, "invalid_session_id",
                )  # fmt: skip
        path = f"{SESSIONS}/{NAME}/tokens"
        async with gateway.http.post(path, json={"right": "listen"}, headers=MINE) as answer:
            token = {"Authorization": f"Bearer {(await answer.json())['token']}"}
        async with gateway.http.get(f"{SESSIONS}/{session_id}", headers=token) as answer:
            assert answer.status == 200
        async with gateway.http.get(f"{SESSIONS}/{NAME}", headers=token) as answer:
            assert (answer.status, (await answer.json())["code"]) == (403, "forbidden")


async def test_it_can_be_removed_and_then_nobody_has_it(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with named(redis_server, tmp_path) as (gateway, speaker, session_id):
        async with gateway.http.delete(f"{SESSIONS}/{NAME}") as answer:
            assert answer.status == 204
        await speaker.hear("error", code="SESSION_NOT_FOUND")
        assert await gateway.store.snapshot(session_id) is None
        async with gateway.http.get(f"{SESSIONS}/{NAME}") as answer:
            assert (await answer.json())["code"] == "session_not_found"
        async with gateway.http.get(f"{SESSIONS}/quiet-fox-12") as answer:
            assert (await answer.json())["code"] == "invalid_session_id"


async def test_who_asks_for_languages_is_told_translations_in_the_words_of_the_dialect(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    path = "/sendAudio?language=en&translations=es,fr"
    async with named(redis_server, tmp_path, path) as (gateway, speaker, session_id):
        await gateway.commit(session_id, events=[word_final("word", 0, 1_600, 1, 1)])
        await speaker.hear("transcript", transcriptText="word")
        (final,) = [each.number for each in await gateway.store.events(session_id)
                    if getattr(each.event, "text", "") == "word"]  # fmt: skip
        assert (await translate(gateway, NAME, "de", "Wort", final))[0] == 201
        assert (await translate(gateway, NAME, "es-MX", "palabra", final))[0] == 201
        heard = await speaker.hear("translation")
        assert {**heard, "timestamp": 0} == {
            "type": "translation", "sessionId": NAME, "targetLanguage": "es-MX",
            "translatedText": "palabra", "timestamp": 0, "startTime": 0.0, "endTime": 0.1,
        }  # fmt: skip
        await speaker.end(NAME)
        await gateway.finish(session_id)
        await speaker.hear("sessionEnded")
        assert (await translate(gateway, session_id, "fr", "mot", final))[0] == 201
        assert (await speaker.hear("translation"))["translatedText"] == "mot"


@pytest.mark.parametrize("asked", ["", "?language=es"])
async def test_who_asks_for_none_is_told_none(
    asked: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    async with named(redis_server, tmp_path, f"/sendAudio{asked}") as (gateway, speaker, session):
        assert (await translate(gateway, NAME, "es", "palabra"))[0] == 201
        await gateway.commit(session, "word")
        await speaker.hear("transcript")
        assert [each["type"] for each in speaker.heard] == ["transcript"]


async def test_a_language_that_is_none_ends_the_socket(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with (
        running(redis_server, tmp_path) as gateway,
        speaking(gateway, "/sendAudio?translations=spanish!") as speaker,
        asyncio.timeout(60),
    ):
        assert (await speaker.hear("error"))["code"] == "INVALID_MESSAGE"
        assert await speaker.hear_end() == 1000
