"""Listeners follow a session by WebSocket or Server-Sent Events, and resume by number."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from tests.integration.gateway_support import (
    SESSIONS,
    Client,
    Gateway,
    noise,
    read_events,
    running,
    until,
)
from tests.redis_servers import RedisServer

CHUNK = noise(0.1)


@pytest.fixture
async def gateway(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running(redis_server, tmp_path) as gateway:
        yield gateway


@asynccontextmanager
async def streamed(
    gateway: Gateway, session_id: str, last_id: str | None = None
) -> AsyncIterator[aiohttp.ClientResponse]:
    headers = {} if last_id is None else {"Last-Event-ID": last_id}
    path = f"{SESSIONS}/{session_id}/events"
    async with gateway.http.get(path, headers=headers) as response:
        yield response


async def spoken(gateway: Gateway, client: Client, session_id: str) -> None:
    """Say one chunk and have it understood."""
    first = (await gateway.snapshot(session_id)).chunks + 1
    await client.chunks([CHUNK], first=first)
    await client.hear_stored(first)
    await gateway.commit(session_id, f"word{first}")
    await client.hear("transcription_final")


async def test_a_listener_hears_what_was_and_what_comes(gateway: Gateway) -> None:
    async with gateway.recording() as (session_id, client):
        await spoken(gateway, client, session_id)
        async with gateway.socket(f"{SESSIONS}/{session_id}/listen") as listener:
            greeting = await listener.hear("session_created")
            assert greeting["status"] == "recording"
            assert "credit" not in greeting
            await spoken(gateway, client, session_id)
            await listener.ws.send_str("anything at all")
            await client.act("stop")
            await gateway.finish(session_id, "end")
            assert await listener.hear_end() == 1000
        words = [message["text_content"] for message in listener.told("transcription_final")]
        assert words == ["word1", "word2", "end"]
        await client.hear("session_completed")
    mine = [message for message in client.heard if "event" in message]
    assert [message for message in listener.heard if "event" in message] == mine


async def test_a_listener_resumes_by_number_even_after_the_end(gateway: Gateway) -> None:
    async with gateway.recording() as (session_id, client):
        await spoken(gateway, client, session_id)
        seen = client.told("transcription_final")[-1]["event"]
        await spoken(gateway, client, session_id)
        await client.act("stop")
        await gateway.finish(session_id, "end")
    for last, expected in ((seen, ["word2", "end"]), (10**9, [])):
        path = f"{SESSIONS}/{session_id}/listen?last_event={last}"
        async with gateway.socket(path) as listener:
            assert await listener.hear_end() == 1000
            words = [m["text_content"] for m in listener.told("transcription_final")]
            assert words == expected
            assert listener.heard[-1]["type"] == "server:session_completed"


async def test_a_mute_listener_disturbs_nobody(redis_server: RedisServer, tmp_path: Path) -> None:
    async with (
        running(redis_server, tmp_path, send_seconds=1.0) as gateway,
        gateway.recording() as (session_id, client),
        gateway.socket(f"{SESSIONS}/{session_id}/listen") as mute,
        gateway.socket(f"{SESSIONS}/{session_id}/listen") as listener,
    ):
        mute.ws._conn.transport.pause_reading()  # type: ignore[union-attr]

        async def both_subscribed() -> bool:
            await gateway.partial(session_id, "x")
            return len(gateway.services.feed._subscriptions[session_id]) == 3

        async def mute_is_gone() -> bool:
            await gateway.partial(session_id, "x" * 300_000)
            for each in (client, listener):  # who does not read is mute
                await each.hear("transcription_partial")
            return len(gateway.services.feed._subscriptions[session_id]) == 2

        await until(both_subscribed)
        for _ in range(60):
            await mute_is_gone()
        await until(mute_is_gone)
        await spoken(gateway, client, session_id)
        await listener.hear("transcription_final", text_content="word1")
        mute.ws._conn.transport.resume_reading()  # type: ignore[union-attr]


async def test_events_are_streamed_with_names_and_ids(gateway: Gateway) -> None:
    async with gateway.recording() as (session_id, client):
        epoch = client.greeting["epoch"]
        async with streamed(gateway, session_id) as response:
            assert response.status == 200
            assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
            assert response.headers["Cache-Control"] == "no-cache, no-transform"
            assert response.headers["X-Accel-Buffering"] == "no"
            started, connected = await read_events(response, 2)
            assert started[:2] == ("session.started", None)
            assert started[2]["session_id"] == session_id
            assert connected[:2] == ("session.status", f"{epoch}-1")

            async def heard() -> bool:
                return await gateway.partial(session_id, "wo") == 1

            await until(heard)
            name, event_id, partial = (await read_events(response, 1))[0]
            assert (name, event_id, partial["text_content"]) == ("caption.partial", None, "wo")
            await spoken(gateway, client, session_id)
            await client.act("stop")
            await gateway.finish(session_id, "end")
            rest = await read_events(response)
    assert [(name, event_id) for name, event_id, _ in rest] == [
        ("session.status", f"{epoch}-2"),
        ("caption.final", f"{epoch}-3"),
        ("session.status", f"{epoch}-4"),
        ("caption.final", f"{epoch}-5"),
        ("session.status", f"{epoch}-6"),
        ("session.ended", f"{epoch}-7"),
    ]
    assert rest[-1][2]["type"] == "server:session_completed"


async def test_a_reader_goes_on_behind_its_last_id_and_stays_away_after_the_end(
    gateway: Gateway,
) -> None:
    async with gateway.recording() as (session_id, client):
        epoch = client.greeting["epoch"]
        await spoken(gateway, client, session_id)
        await client.act("stop")
        await gateway.finish(session_id, "end")
    async with streamed(gateway, session_id, f"{epoch}-3") as response:
        ids = [event_id for _, event_id, _ in await read_events(response)]
    assert ids == [f"{epoch}-{number}" for number in (4, 5, 6, 7)]
    path = f"{SESSIONS}/{session_id}/events?last_event_id={epoch}-6"
    async with gateway.http.get(path) as response:
        assert [name for name, _, _ in await read_events(response)] == ["session.ended"]
    async with streamed(gateway, session_id, f"{epoch}-7") as response:
        assert response.status == 204


async def test_a_reader_that_knows_more_than_a_log_that_lost_its_end_goes_on_with_what_is_new(
    gateway: Gateway,
) -> None:
    async with gateway.recording() as (session_id, client):
        epoch = client.greeting["epoch"]
        await spoken(gateway, client, session_id)
        newest = (await gateway.snapshot(session_id)).event
        async with streamed(gateway, session_id, f"{epoch}-{newest + 4}") as response:
            await spoken(gateway, client, session_id)
            told = await read_events(response, 1)
    assert [(name, event_id) for name, event_id, _ in told] == [
        ("caption.final", f"{epoch}-{newest + 1}")
    ]


async def test_an_id_of_another_epoch_begins_anew(gateway: Gateway) -> None:
    async with gateway.recording() as (session_id, client):
        await spoken(gateway, client, session_id)
        async with streamed(gateway, session_id, "0123-99") as response:
            first, *rest = await read_events(response, 4)
    assert first == ("stream.reset", None, {
        "session_id": session_id, "epoch": client.greeting["epoch"], "first_event": 1,
    })  # fmt: skip
    assert [data["event"] for _, _, data in rest] == [1, 2, 3]


async def test_a_session_that_ended_in_error_has_an_end_too(gateway: Gateway) -> None:
    async with gateway.recording("audio/webm") as (session_id, client):
        epoch = client.greeting["epoch"]
        await client.chunks([b"no container at all"])
        assert await client.hear_end() == 1008
    last = f"{epoch}-{(await gateway.snapshot(session_id)).event}"
    async with streamed(gateway, session_id, last) as response:
        await gateway.finish(session_id)
        assert [name for name, _, _ in await read_events(response)] == ["session.ended"]
    last = f"{epoch}-{(await gateway.snapshot(session_id)).event}"
    async with streamed(gateway, session_id, last) as response:
        assert response.status == 204


async def test_a_comment_keeps_a_quiet_stream_and_finds_readers_that_left(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steno_gateway.event_stream.KEEPALIVE_SECONDS", 0.05)
    session_id = await gateway.create()
    async with streamed(gateway, session_id) as response:
        lines = [await response.content.readline() for _ in range(6)]
        assert json.loads(lines[3].removeprefix(b"data: "))["session_id"] == session_id
        assert lines[5] == b": ka\n"
        response.close()

    async def forgotten() -> bool:
        return not gateway.services.feed._subscriptions

    await until(forgotten)


async def test_a_listener_of_a_removed_session_is_told(gateway: Gateway) -> None:
    session_id = await gateway.create()
    async with (
        gateway.socket(f"{SESSIONS}/{session_id}/listen") as listener,
        streamed(gateway, session_id) as response,
    ):
        await listener.hear("session_created")
        await read_events(response, 1)
        assert await gateway.store.remove(session_id)
        assert await listener.hear_end() == 4404
        assert await read_events(response) == []
