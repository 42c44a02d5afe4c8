"""R3: translations that come back. Who may give one, what is one, and what is said twice."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.integration.gateway_support import NOBODY, SESSIONS, Gateway, running, word_final
from tests.integration.translations_rig import CHUNK, translate
from tests.redis_servers import RedisServer

from steno_common.messages import Numbered, Translation

KEY = {"Authorization": "Bearer anns-secret-of-the-day"}


@pytest.fixture
async def gateway(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running(redis_server, tmp_path) as gateway:
        yield gateway


async def spoken(gateway: Gateway) -> tuple[str, int]:
    """Say one word; gives the session with the number of its final."""
    async with gateway.recording() as (session_id, client):
        await client.chunks([CHUNK])
        await client.hear_stored(1)
        await gateway.commit(session_id, "word")
        return session_id, (await client.hear("transcription_final"))["event"]


async def test_a_retried_pipeline_changes_nothing(gateway: Gateway) -> None:
    session_id, final = await spoken(gateway)
    status, answer = await translate(gateway, session_id, "ES", "palabra", final)
    number = answer["event"]
    assert status == 201
    assert answer == {"session_id": session_id, "event": number, "of": final, "language": "es"}
    for text in ("palabra", "otra"):
        assert await translate(gateway, session_id, "es", text, final) == (200, answer)
    (stored,) = await gateway.store.events(session_id, number - 1, 1)
    assert isinstance(stored.event, Translation)
    assert stored == Numbered(number, Translation("es", "palabra", final, stored.event.created_ms))


async def test_what_is_no_final_of_the_session_is_told(gateway: Gateway) -> None:
    session_id, final = await spoken(gateway)
    for event in (1, final + 90):
        status, error = await translate(gateway, session_id, "es", "x", event)
        assert (status, error["code"], error["retryable"]) == (404, "event_not_found", False)
    path, body = f"{SESSIONS}/{session_id}/translations", {"language": "es", "text": "x"}
    async with gateway.http.post(path, json={**body, "event": final, "epoch": "gone"}) as answer:
        assert (answer.status, (await answer.json())["code"]) == (404, "event_not_found")
    epoch = (await gateway.snapshot(session_id)).epoch
    async with gateway.http.post(path, json={**body, "event": final, "epoch": epoch}) as answer:
        assert answer.status == 201


async def test_a_pipeline_names_the_final_by_the_timestamp_it_was_given(gateway: Gateway) -> None:
    made = 1_699_500_000_000
    async with gateway.recording() as (session_id, client):
        await client.chunks([CHUNK])
        await client.hear_stored(1)
        finals = [word_final(f"w{n}", 0, 100, 1, 1) for n in range(150)]
        events = [msgspec.structs.replace(final, created_ms=made + n)
                  for n, final in enumerate(finals)]  # fmt: skip
        await gateway.commit(session_id, events=events)
        first = (await client.hear("transcription_final"))["event"]
    path = f"{SESSIONS}/{session_id}/translations"
    for which, status in ((0, 201), (149, 201), (0, 200), (150, 404)):
        body = {"language": "es", "text": "x", "timestamp": made + which}
        async with gateway.http.post(path, json=body) as answer:
            told = await answer.json()
            assert (which, answer.status) == (which, status), told
            assert told.get("of", first + 150) == first + which
    body = {"language": "es", "text": "x", "timestamp": made}
    async with gateway.http.post(f"{SESSIONS}/{NOBODY}/translations", json=body) as answer:
        assert (await answer.json())["code"] == "session_not_found"


async def test_a_session_that_is_unknown_or_removed_is_told(gateway: Gateway) -> None:
    session_id, final = await spoken(gateway)
    await gateway.store.remove(session_id)
    for name in (NOBODY, session_id):
        status, error = await translate(gateway, name, "es", "x", final)
        assert (status, error["code"]) == (404, "session_not_found")
    status, error = await translate(gateway, "no-uuid", "es", "x", final)
    assert (status, error["code"]) == (400, "invalid_session_id")


@pytest.mark.parametrize("body", [
    {"language": "spanish", "text": "x"}, {"language": "", "text": "x"}, {"language": "es"},
    {"text": "x"}, {"language": "es", "text": "x" * 5_001}, {"language": "es", "text": 1},
    {"language": "es", "text": "x", "event": -1}, {"language": "es", "text": "x", "event": "2"},
    {"language": "es", "text": "x", "event": 2, "timestamp": 5},
    {"language": "es", "text": "x", "timestamp": 0},
    {"language": "es", "text": "x", "event": 1 << 49}, {"language": "multi", "text": "x"}, [], {},
])  # fmt: skip
async def test_what_is_no_translation_is_refused(gateway: Gateway, body: Any) -> None:
    async with gateway.http.post(f"{SESSIONS}/{NOBODY}/translations", json=body) as answer:
        assert (answer.status, (await answer.json())["code"]) == (400, "invalid_message")


async def test_a_text_may_be_long_in_any_writing(gateway: Gateway) -> None:
    session_id, final = await spoken(gateway)
    status, _ = await translate(gateway, session_id, "ja", "語" * 5_000, final)
    assert status == 201


async def test_too_many_of_one_session_are_told_when_to_come_back(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    rate = {"max_translations_per_second": 0.5}
    async with running(redis_server, tmp_path, clock=lambda: 0.0, **rate) as gateway:
        session_id, other = await gateway.create(), await gateway.create()
        path = f"{SESSIONS}/{session_id}/translations"
        for text in ("one", "two"):
            assert (await translate(gateway, session_id, "es", text))[0] == 201
        async with gateway.http.post(path, json={"language": "es", "text": "x"}) as answer:
            error = await answer.json()
            assert (answer.status, error["code"]) == (429, "rate_limited")
            assert 0 < error["retry_after_ms"] <= 2_001
            assert int(answer.headers["Retry-After"]) >= 1
        assert (await translate(gateway, other, "es", "x"))[0] == 201


async def test_a_gateway_without_room_in_redis_takes_none(gateway: Gateway) -> None:
    session_id = await gateway.create()
    gateway.services.memory.inflow.storing.clear()
    status, error = await translate(gateway, session_id, "es", "x")
    gateway.services.memory.inflow.storing.set()
    assert (status, error["code"], error["retryable"]) == (503, "overloaded", True)


async def test_a_token_for_translations_is_good_for_them_and_for_nothing_else(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with running(redis_server, tmp_path, api_keys="ann:anns-secret-of-the-day") as gateway:
        ids = []
        for _ in range(2):
            async with gateway.http.post(SESSIONS, headers=KEY) as answer:
                ids.append((await answer.json())["session_id"])
        session_id, another = ids
        path = f"{SESSIONS}/{session_id}"
        async with gateway.http.post(
            f"{path}/tokens", json={"right": "translate"}, headers=KEY
        ) as answer:
            granted = await answer.json()
            assert (answer.status, granted["right"]) == (201, "translate")
            assert granted["token_expires_in"] == 600
        token = {"Authorization": f"Bearer {granted['token']}"}
        assert (await translate(gateway, session_id, "es", "uno", headers=token))[0] == 201
        assert (await translate(gateway, session_id, "es", "dos", headers=KEY))[0] == 201
        assert (await translate(gateway, another, "es", "x", headers=token))[0] == 403
        assert (await translate(gateway, session_id, "es", "x"))[0] == 401
        for method, where in (("GET", ""), ("GET", "/events"), ("DELETE", ""), ("POST", "/tokens"),
                              ("POST", "/restore")):  # fmt: skip
            async with gateway.http.request(method, path + where, headers=token) as answer:
                assert (method, where, answer.status) == (method, where, 403)
        async with gateway.http.ws_connect(f"{path}/listen", headers=token) as ws:
            assert (await ws.receive_json())["code"] == "forbidden"
        for right in ("listen", "speak"):
            async with gateway.http.post(
                f"{path}/tokens", json={"right": right}, headers=KEY
            ) as answer:
                weak = {"Authorization": f"Bearer {(await answer.json())['token']}"}
            assert (await translate(gateway, session_id, "es", "x", headers=weak))[0] == 403
