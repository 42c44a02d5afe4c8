"""Restore requests: who may, what is believed, what a bad one does."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.gateway_support import NOBODY, SESSIONS, Client, Gateway, Json, cut, noise
from tests.integration.gateway_support import running as running_gateway
from tests.redis_servers import RedisServer

KEY, OTHER = "k" * 16, "o" * 16
KEYS = f"app:{KEY},other:{OTHER}"


@pytest.fixture
async def gateway(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(redis_server, tmp_path) as gateway:
        yield gateway


@pytest.fixture
async def guarded(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(redis_server, tmp_path, api_keys=KEYS) as gateway:
        yield gateway


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


async def restore(gateway: Gateway, session_id: str, body: Any, credential: str = ""
                  ) -> tuple[int, Json]:  # fmt: skip
    """Post a restore request; gives the status with the answer."""
    path = f"{SESSIONS}/{session_id}/restore"
    sent = {"data": io.BytesIO(body)} if isinstance(body, bytes) else {"json": body}
    headers = bearer(credential) if credential else {}
    async with gateway.http.post(path, headers=headers, **sent) as answer:
        return answer.status, await answer.json()


async def lose(gateway: Gateway) -> None:
    await (await gateway.link.atlas.node(0)).data.execute_command("FLUSHALL")  # type: ignore[no-untyped-call]
    gateway._claims.clear()


async def kept(gateway: Gateway, session_id: str, client: Client) -> Json:
    """Speak, have it committed, and keep what the client is given of that."""
    await client.hear("checkpoint", done=0)
    await client.chunks(cut(noise(0.4), 3_200))
    await client.hear_stored(4)
    await gateway.commit(session_id, "hello")
    newest = await client.hear("checkpoint", done=4)
    log = [message["log"] for message in client.told("checkpoint") if message["log"]]
    return {"state": newest["state"], "log": log}


async def recorded(gateway: Gateway) -> tuple[str, Json]:
    """Give a session that Redis has lost, with what its client has kept."""
    session_id = await gateway.create(checkpoints=True)
    path = f"{SESSIONS}/{session_id}/ws?last_event=0&checkpoint=0"
    async with gateway.socket(path) as client:
        greeting = await client.hear("session_created")
        assert greeting["checkpoints"] is True
        body = await kept(gateway, session_id, client)
    await lose(gateway)
    return session_id, body


async def test_a_lost_session_is_there_again_with_its_log_in_a_new_epoch(gateway: Gateway) -> None:
    session_id, body = await recorded(gateway)
    assert await restore(gateway, session_id, body) == (
        200, {"session_id": session_id, "restored": True}
    )  # fmt: skip
    snapshot = await gateway.snapshot(session_id)
    assert (snapshot.chunks, snapshot.received, snapshot.status) == (4, 6_400, "reconnecting")
    async with gateway.joined(session_id) as client:
        assert client.greeting["resend_from"] == 5
        assert (await client.hear("transcription_final"))["text_content"] == "hello"


async def test_a_repeated_request_restores_once(gateway: Gateway) -> None:
    session_id, body = await recorded(gateway)
    await restore(gateway, session_id, body)
    epoch = (await gateway.snapshot(session_id)).epoch
    assert (await restore(gateway, session_id, body))[1]["restored"] is False
    assert (await gateway.snapshot(session_id)).epoch == epoch


async def test_before_the_first_chunk_is_done_a_session_begins_anew(gateway: Gateway) -> None:
    async with gateway.http.post(SESSIONS, json={"checkpoints": True}) as answer:
        fields = await answer.json()
    await lose(gateway)
    status, _ = await restore(gateway, fields["session_id"], {"state": fields["checkpoint"]})
    assert status == 200
    assert (await gateway.snapshot(fields["session_id"])).start_ms > 0
    async with gateway.joined(fields["session_id"]) as client:
        assert client.greeting["resend_from"] == 1


async def test_a_client_that_asks_for_no_checkpoints_gets_none(gateway: Gateway) -> None:
    async with gateway.recording() as (session_id, client):
        assert client.greeting["checkpoints"] is False
        await client.chunks(cut(noise(0.4), 3_200))
        await client.hear_stored(4)
        await gateway.commit(session_id, "hello")
        await client.hear_done(4)
        assert client.told("checkpoint") == []


async def test_what_was_removed_does_not_come_back(gateway: Gateway) -> None:
    session_id = await gateway.create()
    path = f"{SESSIONS}/{session_id}/ws?last_event=0&checkpoint=0"
    async with gateway.socket(path) as client:
        await client.hear("session_created")
        body = await kept(gateway, session_id, client)
        async with gateway.http.delete(f"{SESSIONS}/{session_id}") as answer:
            assert answer.status == 204
        assert await client.hear_end() == 4404
    status, told = await restore(gateway, session_id, body)
    assert (status, told["code"]) == (404, "session_not_found")
    assert await gateway.store.snapshot(session_id) is None


def damaged(body: Json) -> list[Any]:
    """Give requests that are wrong."""
    state, log = body["state"], body["log"]
    return [
        b"", b"{", b"[]", b'{"state": 1}', b"\xff", {}, {"state": ""}, {"state": state},
        {"state": state, "log": []}, {"state": state, "log": log[:-1]},
        {"state": state, "log": [*log, log[-1]]}, {"state": state, "log": log[::-1] * 2},
        {"state": state + "A", "log": log}, {"state": state[:-4], "log": log},
        {"state": state[::-1], "log": log}, {"state": log[0], "log": log},
        {"state": state, "log": [state]}, {"state": "ä", "log": log},
        {"state": state, "log": ["A" * 1_000_000]}, b'{"state": "' + b"A" * (5 << 20) + b'"}',
    ]  # fmt: skip


async def test_a_wrong_request_is_told_so_and_leaves_nothing(gateway: Gateway) -> None:
    session_id, body = await recorded(gateway)
    for wrong in damaged(body):
        status, told = await restore(gateway, session_id, wrong)
        assert (status, told["code"]) == (422, "invalid_checkpoint"), str(wrong)[:80]
    status, told = await restore(gateway, NOBODY, body)
    assert (status, told["code"]) == (422, "invalid_checkpoint")
    assert await gateway.store.snapshot(session_id) is None
    assert await gateway.store.snapshot(NOBODY) is None
    assert (await restore(gateway, session_id, body))[0] == 200


async def opened(gateway: Gateway, key: str) -> Json:
    async with gateway.http.post(
        SESSIONS, json={"mime_type": "audio/pcm", "checkpoints": True}, headers=bearer(key)
    ) as answer:
        fields: Json = await answer.json()
        return fields


async def test_with_keys_only_who_may_and_only_what_a_gateway_has_signed(guarded: Gateway) -> None:
    mine, another = await opened(guarded, KEY), await opened(guarded, OTHER)
    async with guarded.http.post(
        f"{SESSIONS}/{mine['session_id']}/tokens", json={"right": "listen"}, headers=bearer(KEY)
    ) as answer:
        listening = (await answer.json())["token"]
    await lose(guarded)
    session_id, body = mine["session_id"], {"state": mine["checkpoint"]}
    for credential, expected in (("", 401), ("nobody's key 12345", 401), (listening, 403),
                                 (another["token"], 403)):  # fmt: skip
        assert (await restore(guarded, session_id, body, credential))[0] == expected
    state = mine["checkpoint"]
    for place in range(0, len(state), 7):
        tampered = state[:place] + ("B" if state[place] == "A" else "A") + state[place + 1 :]
        status, told = await restore(guarded, session_id, {"state": tampered}, KEY)
        assert (status, told["code"]) == (422, "invalid_checkpoint")
        await asyncio.sleep(0.01)
    other = {"state": another["checkpoint"]}
    assert (await restore(guarded, session_id, other, KEY))[0] == 422
    status, told = await restore(guarded, session_id, body, mine["token"])
    assert status == 200
    assert told["token"] != ""
    async with guarded.http.get(f"{SESSIONS}/{session_id}", headers=bearer(told["token"])) as again:
        assert again.status == 200


async def test_the_key_restores_where_the_token_has_gone(guarded: Gateway) -> None:
    mine = await opened(guarded, KEY)
    await lose(guarded)
    assert (await restore(guarded, mine["session_id"], {"state": mine["checkpoint"]}, KEY))[
        0
    ] == 200


async def test_a_listener_of_another_life_hears_it_all_again(gateway: Gateway) -> None:
    session_id, body = await recorded(gateway)
    await restore(gateway, session_id, body)
    base = f"{SESSIONS}/{session_id}/listen?last_event=2"
    epoch = (await gateway.snapshot(session_id)).epoch
    async with gateway.socket(f"{base}&epoch=before") as client:
        assert (await client.hear("transcription_final"))["event"] == 3
        assert client.told("status")[0]["event"] == 1
    async with gateway.socket(f"{base}&epoch={epoch}") as client:
        await client.hear("session_created")
        assert (await client.next())["event"] == 3


async def test_a_reader_of_a_session_that_fell_back_is_sent_away_to_come_again(
    gateway: Gateway,
) -> None:
    async with gateway.recording() as (session_id, client):
        keys, redis = gateway.store.keys(session_id), (await gateway.link.atlas.node(0)).data
        await client.chunks(cut(noise(0.4), 3_200))
        await client.hear_stored(4)
        older = {key: await redis.dump(key) for key in (keys.meta, keys.log)}
        await gateway.commit(session_id, "hello")
        await client.hear("transcription_final")
        for key, value in older.items():
            await redis.restore(key, 600_000, value, replace=True)
        assert await client.hear_end() == 1013
        assert client.told("error")[-1]["code"] == "store_unavailable"
