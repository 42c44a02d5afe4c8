"""`/sendAudio`: a client that comes back is told all that its former socket did not take."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.integration.dialect_support import Speaker, engine, session_of, speaking, stored
from tests.integration.gateway_support import Gateway, noise, running, until
from tests.redis_servers import RedisServer

from steno_common.errors import StoreUnavailableError
from steno_common.messages import Final
from steno_common.store.sessions import SessionStore
from steno_gateway.receiving import Receiver

PATH = "/sendAudio"
NAME = "golden-eagle-427"


async def told(gateway: Gateway, client: Speaker, text: str) -> str:
    """Begin a session in which a text is told; gives its id."""
    await client.audio(NAME, noise(0.1))
    session_id = await session_of(gateway, NAME)
    await stored(gateway, session_id, 1_600)
    await gateway.commit(session_id, text)
    assert (await client.hear("transcript"))["transcriptText"] == text
    return session_id


async def texts_on_return(
    gateway: Gateway, session_id: str, elsewhere: Gateway | None = None
) -> list[str]:
    """Come back, perhaps elsewhere, and give all that is told through the text `after`."""
    async with speaking(elsewhere or gateway, PATH) as client:
        await client.audio(NAME, noise(0.1))
        await gateway.commit(session_id, "after")
        await client.hear("transcript", transcriptText="after")
        return [each["transcriptText"] for each in client.heard]


def at_the_loss(monkeypatch: pytest.MonkeyPatch, do: Callable[[], Awaitable[None]]) -> None:
    """Have something happen once a connection tells nothing more, and its loss is not noted yet."""
    note, happened = SessionStore.transition, asyncio.Event()

    async def late(*args: Any, **more: Any) -> Any:
        if "reconnecting" in args and not happened.is_set():
            happened.set()
            await do()
        return await note(*args, **more)

    monkeypatch.setattr(SessionStore, "transition", late)


async def close(client: Speaker) -> None:
    await client.ws.close()


async def lose_the_network(client: Speaker) -> None:
    client.ws._response.close()


@pytest.mark.parametrize("leave", [close, lose_the_network])
async def test_a_text_just_before_the_loss_of_a_socket_is_noted_is_told_on_the_next(
    leave: Callable[[Speaker], Awaitable[None]],
    redis_server: RedisServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running(redis_server, tmp_path) as gateway, engine(gateway):
        async with speaking(gateway, PATH) as client:
            session_id = await told(gateway, client, "before")
            at_the_loss(monkeypatch, lambda: gateway.commit(session_id, "meanwhile"))
            await leave(client)
            await gateway.became(session_id, "reconnecting")
        assert await texts_on_return(gateway, session_id) == ["meanwhile", "after"]


async def test_a_text_while_a_close_is_answered_is_told_on_the_next_socket(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, leave = SessionStore.append, Receiver.leave
    storing, may_store, leaving = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def held(*args: Any) -> Any:
        storing.set()
        await may_store.wait()
        return await append(*args)

    async def left(*args: Any, **more: Any) -> None:
        leaving.set()
        await leave(*args, **more)

    async with running(redis_server, tmp_path) as gateway, engine(gateway):
        async with speaking(gateway, PATH) as client:
            session_id = await told(gateway, client, "before")
            monkeypatch.setattr(SessionStore, "append", held)
            monkeypatch.setattr(Receiver, "leave", left)
            await client.audio(NAME, noise(0.1))
            await storing.wait()
            closing = asyncio.create_task(client.ws.close())
            await leaving.wait()
            await gateway.commit(session_id, "meanwhile")
            newest = (await gateway.snapshot(session_id)).event

            async def looked_at() -> bool:
                readers = gateway.services.feed._subscriptions.get(session_id, set())
                return all(reader.cursor >= newest for reader in readers)

            await until(looked_at)
            may_store.set()
            await closing
        await gateway.became(session_id, "reconnecting")
        assert await texts_on_return(gateway, session_id) == ["meanwhile", "after"]


async def test_a_gateway_that_dies_leaves_word_of_what_it_has_told(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dead(*_: Any, **__: Any) -> Any:
        raise StoreUnavailableError("a dead gateway notes nothing")

    async with running(redis_server, tmp_path) as one, engine(one):
        async with speaking(one, PATH) as client:
            session_id = await told(one, client, "before")
            (text,) = [each.number for each in await one.store.events(session_id)
                       if isinstance(each.event, Final)]  # fmt: skip

            async def noted() -> bool:
                return (await one.snapshot(session_id)).handed >= text

            await until(noted)
            with monkeypatch.context() as patched:
                patched.setattr(SessionStore, "transition", dead)
                await lose_the_network(client)
                await until(lambda: _unheld(one))
        assert await one.status(session_id) != "reconnecting"
        await one.commit(session_id, "meanwhile")
        async with running(redis_server, tmp_path / "other") as two:
            assert await texts_on_return(one, session_id, two) == ["meanwhile", "after"]


async def _unheld(gateway: Gateway) -> bool:
    return gateway.services.admission.sessions == 0
