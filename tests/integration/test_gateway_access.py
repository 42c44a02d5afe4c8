"""A gateway with API keys: who gets in by which way, and what each may do."""

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.integration.gateway_support import (
    NOBODY,
    PATIENCE_SECONDS,
    SESSIONS,
    Client,
    Gateway,
    noise,
    read_events,
    running,
    until,
)
from tests.redis_servers import RedisServer

from steno_gateway.access import reread_keys
from steno_gateway.domain.tokens import Grant

ANN, BOB = "anns-secret-of-the-day", "bobs-secret-of-the-day"
KEYS = f"ann:{ANN},bob:{BOB}"
CHUNK = noise(0.1)

Headers = dict[str, str]


def bearer(credential: str) -> Headers:
    return {"Authorization": f"Bearer {credential}"}


@pytest.fixture
async def gateway(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running(redis_server, tmp_path, api_keys=KEYS) as gateway:
        yield gateway


async def asked(gateway: Gateway, method: str, path: str, headers: Headers | None = None,
                **options: Any) -> tuple[int, Any]:  # fmt: skip
    async with gateway.http.request(method, path, headers=headers, **options) as answer:
        text = await answer.text()
    body = json.loads(text) if text.startswith(("{", "[")) else text
    return answer.status, body


async def created(gateway: Gateway, secret: str = ANN) -> tuple[str, str]:
    """Create a session; gives its id, its token."""
    status, fields = await asked(gateway, "POST", SESSIONS, bearer(secret),
                                 json={"mime_type": "audio/pcm"})  # fmt: skip
    assert status == 201, fields
    assert fields["token_expires_in"] == 600
    return fields["session_id"], fields["token"]


async def listeners_token(gateway: Gateway, session_id: str) -> str:
    path = f"{SESSIONS}/{session_id}/tokens"
    status, fields = await asked(gateway, "POST", path, bearer(ANN), json={"right": "listen"})
    assert (status, fields["right"]) == (201, "listen")
    token: str = fields["token"]
    return token


@asynccontextmanager
async def socket(gateway: Gateway, path: str, headers: Headers | None = None,
                 protocols: tuple[str, ...] = ()) -> AsyncIterator[Client]:  # fmt: skip
    async with gateway.http.ws_connect(path, headers=headers, protocols=protocols) as ws:
        yield Client(ws)


async def refusal(gateway: Gateway, path: str, headers: Headers | None = None,
                  protocols: tuple[str, ...] = ()) -> tuple[str, int]:  # fmt: skip
    """Give code and close code of a socket that is not let in."""
    async with socket(gateway, path, headers, protocols) as client:
        close = await client.hear_end()
        assert [message["type"] for message in client.heard] == ["server:error"]
        return client.heard[0]["code"], close


def expired(gateway: Gateway, session_id: str, right: Any = "speak") -> str:
    access = gateway.services.access
    assert access.keyring is not None
    grant = Grant("ann", session_id, right, int(access.now()) - 31)
    token = access.keyring.issue(grant)
    assert token is not None
    return token


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", SESSIONS),
        ("GET", f"{SESSIONS}/{NOBODY}"),
        ("DELETE", f"{SESSIONS}/{NOBODY}"),
        ("POST", f"{SESSIONS}/{NOBODY}/tokens"),
        ("GET", f"{SESSIONS}/{NOBODY}/events"),
        ("POST", "/api/transcriptions"),
        ("GET", "/api/transcripts"),
        ("GET", f"/api/transcripts/{NOBODY}.txt"),
        ("DELETE", f"/api/transcripts/{NOBODY}"),
        ("GET", "/metrics"),
    ],
)
async def test_without_a_key_no_door_opens(gateway: Gateway, method: str, path: str) -> None:
    for headers in ({}, bearer("wrong-secret-of-the-day"), {"Authorization": f"Basic {ANN}"}):
        async with gateway.http.request(method, path, headers=headers) as answer:
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="steno"'
            assert (await answer.json())["code"] == "unauthorized"
    async with gateway.http.request(method, path, params={"api_key": ANN, "token": ANN}) as answer:
        assert answer.status == 401


@pytest.mark.parametrize("path", ["/", "/status", "/healthz", "/readyz", "/console/console.js"])
async def test_what_tells_nothing_stays_open(gateway: Gateway, path: str) -> None:
    assert (await asked(gateway, "GET", path))[0] == 200


@pytest.mark.parametrize("headers", [bearer(ANN), {"Authorization": f"bearer {BOB}"},
                                     {"X-Api-Key": ANN}])  # fmt: skip
async def test_a_key_opens_what_sessions_begin_and_end_with(
    gateway: Gateway, headers: Headers
) -> None:
    status, fields = await asked(gateway, "POST", SESSIONS, headers)
    assert status == 201
    path = f"{SESSIONS}/{fields['session_id']}"
    assert (await asked(gateway, "GET", path, headers))[0] == 200
    assert (await asked(gateway, "DELETE", path, headers))[0] == 204
    assert await asked(gateway, "GET", "/api/transcripts", headers) == (200, {"transcripts": []})
    assert (await asked(gateway, "GET", "/metrics", headers))[0] == 200


async def test_a_session_is_held_with_its_token_and_taken_back_with_the_newer_one(
    gateway: Gateway,
) -> None:
    session_id, token = await created(gateway)
    path = f"{SESSIONS}/{session_id}/ws"
    async with socket(gateway, path, bearer(token)) as client:
        greeting = await client.hear("session_created")
        await client.chunks([CHUNK])
        await client.hear_stored(1)
    await gateway.became(session_id, "reconnecting")
    async with socket(gateway, path, bearer(greeting["token"])) as client:
        assert (await client.hear("session_created"))["resend_from"] == 2


async def test_a_browser_shows_its_token_as_a_subprotocol_that_is_not_said_back(
    gateway: Gateway,
) -> None:
    session_id, token = await created(gateway)
    offer = ("steno.v1", f"steno.token.{token}")
    async with socket(gateway, f"{SESSIONS}/{session_id}/ws", protocols=offer) as client:
        await client.hear("session_created")
        assert client.ws.protocol == "steno.v1"
    key = "steno.key." + urlsafe_b64encode(ANN.encode()).decode().rstrip("=")
    async with socket(gateway, f"{SESSIONS}/{session_id}/listen", protocols=(key,)) as client:
        await client.hear("session_created")
        assert client.ws.protocol is None


async def test_nobody_takes_a_session_over_without_its_token(gateway: Gateway) -> None:
    session_id, token = await created(gateway)
    other, others = await created(gateway, BOB)
    path = f"{SESSIONS}/{session_id}/ws"
    async with socket(gateway, path, bearer(token)) as client:
        await client.hear("session_created")
        listener = await listeners_token(gateway, session_id)
        assert await refusal(gateway, path) == ("unauthorized", 4401)
        assert await refusal(gateway, path, bearer("wrong-secret-today")) == ("unauthorized", 4401)
        assert await refusal(gateway, path, bearer(token[:-1])) == ("unauthorized", 4401)
        assert await refusal(gateway, path, bearer(expired(gateway, session_id))) == (
            "token_expired", 4401,
        )  # fmt: skip
        assert await refusal(gateway, path, bearer(others)) == ("forbidden", 4403)
        assert await refusal(gateway, path, bearer(listener)) == ("forbidden", 4403)
        assert await refusal(gateway, path, bearer(ANN)) == ("forbidden", 4403)
        assert await refusal(gateway, f"{path}?token={token}") == ("unauthorized", 4401)
        await client.chunks([CHUNK])
        await client.hear_stored(1)
        assert client.told("error") == []
    assert other != session_id


async def test_a_lost_token_is_replaced_with_a_key_alone(gateway: Gateway) -> None:
    session_id, token = await created(gateway)
    path = f"{SESSIONS}/{session_id}/tokens"
    for headers in ({}, bearer(token)):
        assert (await asked(gateway, "POST", path, headers))[0] in (401, 403)
    status, fields = await asked(gateway, "POST", path, bearer(BOB))
    assert (status, fields["right"], fields["token_expires_in"]) == (201, "speak", 600)
    async with socket(gateway, f"{SESSIONS}/{session_id}/ws", bearer(fields["token"])) as client:
        await client.hear("session_created")
    assert (await asked(gateway, "POST", path, bearer(BOB), json={"right": "all"}))[0] == 400
    nowhere = f"{SESSIONS}/{NOBODY}/tokens"
    assert (await asked(gateway, "POST", nowhere, bearer(BOB)))[0] == 404


async def test_listening_takes_a_key_or_a_token_of_the_session(gateway: Gateway) -> None:
    session_id, token = await created(gateway)
    listener = await listeners_token(gateway, session_id)
    path, events = f"{SESSIONS}/{session_id}/listen", f"{SESSIONS}/{session_id}/events"
    for credential in (ANN, token, listener):
        async with socket(gateway, path, bearer(credential)) as client:
            greeting = await client.hear("session_created")
            assert ("token" in greeting) == (credential != ANN)
        async with gateway.http.get(events, headers=bearer(credential)) as answer:
            assert (await read_events(answer, 1))[0][0] == "session.started"
    _, others = await created(gateway)
    assert await refusal(gateway, path, bearer(others)) == ("forbidden", 4403)
    assert await refusal(gateway, path) == ("unauthorized", 4401)
    assert (await asked(gateway, "GET", f"{SESSIONS}/{session_id}", bearer(listener)))[0] == 200
    assert (await asked(gateway, "DELETE", f"{SESSIONS}/{session_id}", bearer(token)))[0] == 403
    assert (await asked(gateway, "GET", "/api/transcripts", bearer(token)))[0] == 403


async def test_an_event_source_shows_a_token_in_its_address_but_no_key(gateway: Gateway) -> None:
    session_id, _ = await created(gateway)
    events = f"{SESSIONS}/{session_id}/events"
    listener = await listeners_token(gateway, session_id)
    async with gateway.http.get(events, params={"token": listener}) as answer:
        assert (await read_events(answer, 1))[0][0] == "session.started"
    assert (await asked(gateway, "GET", events, params={"token": ANN}))[0] == 401
    shown = await asked(gateway, "GET", f"{SESSIONS}/{session_id}", params={"token": listener})
    assert shown[0] == 401


async def test_a_token_is_renewed_while_it_is_in_use(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with running(redis_server, tmp_path, api_keys=KEYS, token_seconds=1.0) as gateway:
        async with gateway.http.post(SESSIONS, headers=bearer(ANN)) as answer:
            fields = await answer.json()
        path = f"{SESSIONS}/{fields['session_id']}"
        for door in ("ws", "listen"):
            async with socket(gateway, f"{path}/{door}", bearer(fields["token"])) as client:
                newer = await client.hear("token")
                assert newer["token_expires_in"] == 1
            async with socket(gateway, f"{path}/{door}", bearer(newer["token"])) as client:
                await client.hear("session_created")


async def next_token(stream: aiohttp.ClientResponse) -> str:
    """Read events until one brings a token."""
    while True:
        ((name, event_id, fields),) = await read_events(stream, 1)
        if name == "session.token":
            assert (event_id, fields["token_expires_in"]) == (None, 1)
            return str(fields["token"])


async def test_a_stream_of_events_brings_the_token_with_which_its_reader_comes_back(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with running(redis_server, tmp_path, api_keys=KEYS, token_seconds=1.0) as gateway:
        async with gateway.http.post(SESSIONS, headers=bearer(ANN)) as answer:
            fields = await answer.json()
        path, token = f"{SESSIONS}/{fields['session_id']}", fields["token"]
        events, last = f"{path}/events", {}
        async with socket(gateway, f"{path}/ws", bearer(token)) as client:
            epoch = (await client.hear("session_created"))["epoch"]
            for _ in range(2):
                async with gateway.http.get(events, params={"token": token} | last) as answer:
                    # At once, and when half its time is over.
                    for _ in range(2):
                        token = await next_token(answer)
                last = {"last_event_id": f"{epoch}-1"}
        async with gateway.http.get(events, headers=bearer(ANN)) as answer:
            assert "session.token" not in [name for name, _, _ in await read_events(answer, 2)]


async def test_keys_change_without_a_restart_and_a_broken_file_changes_nothing(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keys"
    file.write_text(f"ann:{ANN}\n")
    async with running(redis_server, tmp_path, api_keys_file=str(file)) as gateway:
        services = gateway.services
        monkeypatch.setattr("steno_gateway.access.log.error", lambda *_, **__: None)

        async def statuses() -> list[int]:
            reread_keys(services.settings, services.access)
            return [(await asked(gateway, "GET", "/api/transcripts", bearer(key)))[0]
                    for key in (ANN, BOB)]  # fmt: skip

        assert await statuses() == [200, 401]
        session_id, token = await created(gateway)
        file.write_text(f"ann:{ANN}\nann:{BOB}\n")
        assert await statuses() == [200, 200]
        file.write_text("ann:short\n")
        assert await statuses() == [200, 200]
        file.unlink()
        assert await statuses() == [200, 200]
        file.write_text(f"ann:{BOB}\n")
        assert await statuses() == [401, 200]
        path = f"{SESSIONS}/{session_id}/ws"
        assert await refusal(gateway, path, bearer(token)) == ("unauthorized", 4401)
        file.write_text("")
        assert await statuses() == [401, 401]


async def test_gateways_that_share_nothing_but_keys_take_each_others_tokens(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with (
        running(redis_server, tmp_path, api_keys=KEYS) as one,
        running(redis_server, tmp_path, api_keys=f"bob:{BOB},ann:{ANN}") as other,
    ):
        session_id, token = await created(one)
        async with socket(other, f"{SESSIONS}/{session_id}/ws", bearer(token)) as client:
            await client.hear("session_created")


async def test_a_key_holds_so_many_sessions_with_whatever_tokens(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with running(redis_server, tmp_path, api_keys=KEYS, max_sessions_per_key=1) as gateway:
        first, token = await created(gateway)
        second, second_token = await created(gateway)
        async with socket(gateway, f"{SESSIONS}/{first}/ws", bearer(token)) as client:
            await client.hear("session_created")
            path = f"{SESSIONS}/{second}/ws"
            assert await refusal(gateway, path, bearer(second_token)) == ("quota_exceeded", 1013)
            async with gateway.http.post(SESSIONS, headers=bearer(ANN)) as answer:
                assert (answer.status, answer.headers["Retry-After"]) == (429, "5")
            await created(gateway, BOB)
        admission = gateway.services.admission
        await until(lambda: asyncio.sleep(0, admission.sessions == 0))
        async with socket(gateway, path, bearer(second_token)) as client:
            await client.hear("session_created")


async def test_listeners_and_uploads_count_as_requests_too(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    rate = {"max_handshakes_per_second_per_ip": 0.5}
    async with running(redis_server, tmp_path, clock=lambda: 0.0, **rate) as gateway:
        session_id = await gateway.create()
        async with gateway.socket(f"{SESSIONS}/{session_id}/listen") as client:
            await client.hear("session_created")
        for path in (f"{SESSIONS}/{session_id}/events", "/api/transcripts"):
            async with gateway.http.get(path) as answer:
                assert (answer.status, (await answer.json())["code"]) == (
                    429, "too_many_connections",
                )  # fmt: skip
        async with gateway.http.post("/api/transcriptions", data=b"x") as answer:
            assert answer.status == 429
            assert int(answer.headers["Retry-After"]) >= 1


async def test_limits_are_those_of_the_client_behind_a_trusted_proxy(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"max_handshakes_per_second_per_ip": 0.25, "clock": lambda: 0.0}
    async with running(
        redis_server, tmp_path, trusted_proxies="127.0.0.0/8", **settings
    ) as gateway:
        for status, client in [(201, "198.51.100.1"), (429, "198.51.100.1"), (201, "2001:db8::1"),
                               (429, "2001:db8::2"), (201, "2001:db8:1::")]:  # fmt: skip
            headers = {"X-Forwarded-For": f"1.2.3.4, {client}"}
            assert (await asked(gateway, "POST", SESSIONS, headers))[0] == status
    async with running(redis_server, tmp_path, **settings) as gateway:
        for status, client in [(201, "1.2.3.1"), (429, "1.2.3.2")]:
            headers = {"X-Forwarded-For": client}
            assert (await asked(gateway, "POST", SESSIONS, headers))[0] == status


async def test_pages_from_elsewhere_get_in_only_if_they_are_listed(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    good, evil = {"Origin": "https://app.example"}, {"Origin": "https://evil.example"}
    async with running(redis_server, tmp_path, allowed_origins="https://app.example") as gateway:
        session_id = await gateway.create()
        path = f"{SESSIONS}/{session_id}"
        for origin in (good, {"Origin": gateway.address}):
            async with socket(gateway, f"{path}/listen", origin) as client:
                await client.hear("session_created")
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await gateway.http.ws_connect(f"{path}/listen", headers=evil)
        assert caught.value.status == 403
        for method, where in (("POST", SESSIONS), ("GET", path), ("GET", f"{path}/events")):
            async with gateway.http.request(method, where, headers=evil) as answer:
                assert answer.status == 403
                assert (await answer.json())["code"] == "origin_not_allowed"
                assert "Access-Control-Allow-Origin" not in answer.headers
            async with gateway.http.request(method, where, headers=good) as answer:
                assert answer.status in (200, 201)
                assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
                assert "Origin" in answer.headers["Vary"]


async def test_a_browser_asks_before_it_asks(redis_server: RedisServer, tmp_path: Path) -> None:
    asks = {"Access-Control-Request-Method": "DELETE", "Origin": "https://app.example"}
    path = f"{SESSIONS}/{NOBODY}"
    settings = {"api_keys": KEYS, "allowed_origins": "https://app.example"}
    async with running(redis_server, tmp_path, **settings) as gateway:
        async with gateway.http.options(path, headers=asks) as answer:
            assert answer.status == 204
            assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
            assert "DELETE" in answer.headers["Access-Control-Allow-Methods"]
            assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
        asks["Origin"] = "https://evil.example"
        assert (await asked(gateway, "OPTIONS", path, asks))[0] == 403
        # A page that may ask is told why it may not come in.
        async with gateway.http.get(path, headers={"Origin": "https://app.example"}) as answer:
            assert answer.status == 401
            assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"


async def test_without_keys_no_token_is_given_and_a_credential_is_passed_over(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with running(redis_server, tmp_path) as gateway:
        status, fields = await asked(gateway, "POST", SESSIONS, bearer("whatever"))
        assert (status, "token" in fields) == (201, False)
        async with gateway.joined(fields["session_id"]) as client:
            assert "token" not in client.greeting


async def test_bytes_that_are_no_text_are_no_key(gateway: Gateway) -> None:
    host, port = gateway.address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /api/transcripts HTTP/1.1\r\nHost: x\r\nX-Api-Key: \xff\xfe\x80\r\n\r\n")
    async with asyncio.timeout(PATIENCE_SECONDS):
        line = await reader.readline()
    writer.close()
    assert line.split()[1] in (b"400", b"401")
