"""The Python client with a gateway that has API keys: it comes in, comes back, gets new tokens."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.integration.gateway_support import Gateway, noise, running
from tests.redis_servers import RedisServer

import steno_client
from steno_client import Access, Policy, SessionError
from steno_gateway.domain.tokens import Grant

SECRET = "anns-secret-of-the-day"
KEY = Access(api_key=SECRET)
QUICK = Policy(delays=(0.05,) * 5)
ONE, TWO = noise(1), noise(1)


@pytest.fixture
async def gateway(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Gateway]:
    settings = {"api_keys": f"ann:{SECRET}"}
    async with running(redis_server, tmp_path, **settings) as gateway:
        yield gateway


def expired(gateway: Gateway, session_id: str) -> str:
    access = gateway.services.access
    assert access.keyring is not None
    token = access.keyring.issue(Grant("ann", session_id, "speak", int(access.now()) - 60))
    assert token is not None
    return token


def break_connections(gateway: Gateway) -> None:
    for peer in gateway.services.sockets._peers:
        assert peer.transport is not None
        peer.transport.abort()


async def stored(gateway: Gateway, session_id: str, chunks: int) -> None:
    async with asyncio.timeout(60):
        while (await gateway.snapshot(session_id)).chunks < chunks:  # noqa: ASYNC110 - in Redis
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("kind", ["good", "expired", "broken"])
async def test_a_client_with_a_key_comes_back_whatever_became_of_its_token(
    gateway: Gateway, kind: str
) -> None:
    async with steno_client.connect(gateway.address, policy=QUICK, access=KEY) as session:
        await session.send(ONE)
        await stored(gateway, session.id, 1)
        if kind != "good":
            token = expired(gateway, session.id) if kind == "expired" else "st1.no.token"
            session._conversation.token = token
        break_connections(gateway)
        await session.send(TWO)
        await stored(gateway, session.id, 2)
        finishing = asyncio.create_task(session.finish())
        await gateway.finish(session.id, "two seconds")
        assert (await finishing).text == "two seconds"
        assert session._conversation.token is not None


async def test_without_a_key_nothing_begins(gateway: Gateway) -> None:
    with pytest.raises(SessionError) as caught:
        async with steno_client.connect(gateway.address, policy=QUICK):
            pass
    assert caught.value.code == "unauthorized"


async def test_listeners_come_with_the_key_or_a_token(gateway: Gateway) -> None:
    async with steno_client.connect(gateway.address, policy=QUICK, access=KEY) as session:
        await session.send(ONE)
        finishing = asyncio.create_task(session.finish())
        await gateway.finish(session.id, "one")
        await finishing
        token = session._conversation.token
        for access in (KEY, Access(token=token)):
            heard = steno_client.listen(gateway.address, session.id, policy=QUICK, access=access)
            finals = [e.text async for e in heard if isinstance(e, steno_client.Final)]
            assert finals == ["one"]
        with pytest.raises(SessionError) as caught:
            async for _ in steno_client.listen(gateway.address, session.id, policy=QUICK):
                pass
        assert caught.value.code == "unauthorized"
