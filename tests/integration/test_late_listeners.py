"""A listener that joins late: what it missed in one message, then what is new, nothing twice."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from httpx_sse import aconnect_sse
from tests.integration.gateway_support import SESSIONS, Client, Json, read_events
from tests.integration.translations_rig import (
    Installation,
    installed,
    kinds,
    texts,
    translate,
    translate_all,
)
from tests.redis_servers import RedisServer

FINALS = 120
JOINERS = 30


@pytest.fixture
async def steno(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Installation]:
    async with installed(redis_server, tmp_path, translation_seconds=60.0) as steno:
        yield steno


def whole(client: Client, language: str) -> tuple[list[str], list[str]]:
    """Give all finals, then all translations, of the snapshot and behind it."""
    (snapshot,) = client.told("snapshot")
    after = [message for message in client.heard if message.get("event", 0) > 0][1:]
    assert [m["event"] for m in after] == sorted({m["event"] for m in after})
    assert all(message["event"] > snapshot["event"] for message in after)
    spanish = snapshot["translations"].get(language, {"text": ""})["text"].split()
    return (
        snapshot["text"].split() + texts(client, "transcription_final"),
        spanish + texts(client, "translation"),
    )


async def test_nothing_is_lost_or_doubled_between_the_snapshot_and_what_comes_live(
    steno: Installation,
) -> None:
    chance = random.Random(7)
    words = [f"w{number}" for number in range(FINALS)]

    async def joined(session_id: str) -> Client:
        gateway = chance.choice((steno.one, steno.other))
        path = f"{SESSIONS}/{session_id}/listen?language=es&snapshot=true"
        async with gateway.socket(path) as listener:
            assert await listener.hear_end() == 1000
        return listener

    async with steno.one.recording() as (session_id, speaker), asyncio.TaskGroup() as tasks:
        await steno.say(session_id, speaker, words[0])
        joining = []
        for number, word in enumerate(words[1:]):
            if number % (FINALS // JOINERS) == 0:
                joining.append(tasks.create_task(joined(session_id), name="joins late"))
            await steno.one.commit(session_id, word, silent=chance.random() < 0.3)
            last = (await steno.one.snapshot(session_id)).event
            status, _ = await translate(steno.other, session_id, "es", f"t-{word}", last)
            assert status == 201
            await speaker.say("ping")  # who reads answers heartbeats
            await speaker.hear("pong")
            await asyncio.sleep(chance.uniform(0, 0.02))
        await steno.end(session_id, speaker)
        first = (await steno.one.store.events(session_id, 2, 1))[0].number
        await translate(steno.other, session_id, "es", "t-w0", first)
    snapshots = set()
    for task in joining:
        finals, translations = whole(task.result(), "es")
        assert finals == words
        assert sorted(translations) == sorted(f"t-{word}" for word in words)
        snapshots.add(task.result().told("snapshot")[0]["event"])
    assert len(snapshots) > 3, "they were to join at many moments"


async def test_a_snapshot_of_a_session_that_is_over_is_followed_by_its_end(
    steno: Installation,
) -> None:
    async with steno.one.recording() as (session_id, speaker):
        for text in ("one", "two"):
            await steno.say(session_id, speaker, text)
        await translate_all(steno.one, session_id, "es")
        await steno.end(session_id, speaker)
    path = f"{SESSIONS}/{session_id}/listen?snapshot=true"
    async with steno.other.socket(path) as plain:
        assert await plain.hear_end() == 1000
    assert [m["type"] for m in plain.heard] == [
        "server:session_created", "server:snapshot", "server:session_completed",
    ]  # fmt: skip
    snapshot, completed = plain.heard[1:]
    assert (snapshot["text"], snapshot["translations"]) == ("one two", {})
    assert completed["event"] == snapshot["event"] + 1
    assert completed["text"] == ""  # as the rig completes it
    async with steno.other.socket(f"{path}&language=es&original=false") as spanish:
        assert await spanish.hear_end() == 1000
    assert spanish.heard[1]["translations"]["es"]["text"] == "es ONE es TWO"
    assert "text" not in spanish.heard[1]


async def test_who_says_what_it_knows_gets_no_snapshot(steno: Installation) -> None:
    async with steno.one.recording() as (session_id, speaker):
        final = await steno.say(session_id, speaker, "one")
        await steno.say(session_id, speaker, "two")
        path = f"{SESSIONS}/{session_id}/listen?snapshot=true&last_event={final}"
        async with steno.other.socket(path) as listener:
            await listener.hear("transcription_final", text_content="two")
        assert "snapshot" not in kinds(listener)


async def test_a_stream_that_begins_anew_begins_with_a_snapshot(steno: Installation) -> None:
    async with steno.one.recording() as (session_id, speaker):
        epoch = speaker.greeting["epoch"]
        final = await steno.say(session_id, speaker, "one")
        path = f"{SESSIONS}/{session_id}/events?snapshot=true"
        async with steno.other.http.get(path, headers={"Last-Event-ID": "another-9"}) as response:
            reset, snapshot = await read_events(response, 2)
    assert reset == ("stream.reset", None,
                     {"session_id": session_id, "epoch": epoch, "snapshot": True})  # fmt: skip
    assert (snapshot[0], snapshot[1], snapshot[2]["text"]) == (
        "caption.snapshot", f"{epoch}-{final}", "one",
    )  # fmt: skip


@pytest.mark.parametrize(
    "query", ["language=spanish", "snapshot=maybe", "original=no", "language=" + ",".join(
        f"a{chr(97 + n)}" for n in range(17))]
)  # fmt: skip
async def test_a_choice_that_is_none_is_refused(steno: Installation, query: str) -> None:
    session_id = await steno.one.create()
    async with steno.one.http.get(f"{SESSIONS}/{session_id}/events?{query}") as response:
        assert (response.status, (await response.json())["code"]) == (400, "invalid_message")
    async with steno.one.socket(f"{SESSIONS}/{session_id}/listen?{query}") as listener:
        error = await listener.hear("error")
        assert error["code"] == "invalid_message"
        assert await listener.hear_end() == 1008


async def read_by_httpx(steno: Installation, path: str, last_id: str = "") -> list[Json]:
    """Read a stream to its end with a reader that is not ours."""
    headers = {"Last-Event-ID": last_id} if last_id else {}
    async with (
        httpx.AsyncClient(base_url=steno.other.address, timeout=60.0) as client,
        aconnect_sse(client, "GET", path, headers=headers) as source,
    ):
        if source.response.status_code == 204:
            return [{"name": "204"}]
        events = [event async for event in source.aiter_sse() if event.data]
    return [{"name": each.event, "id": each.id, **json.loads(each.data)} for each in events]


async def test_an_independent_reader_understands_the_stream(steno: Installation) -> None:
    async with steno.one.recording() as (session_id, speaker):
        path = f"{SESSIONS}/{session_id}/events?language=es&snapshot=true"
        await steno.say(session_id, speaker, "one")
        reading = asyncio.create_task(read_by_httpx(steno, path), name="independent reader")
        await steno.say(session_id, speaker, "two")
        await steno.end(session_id, speaker)
        await translate_all(steno.one, session_id, "es")
        told = await reading
    names = [each["name"] for each in told]
    assert names[:2] == ["session.started", "caption.snapshot"]
    assert names[-3:] == ["session.ended", "caption.translation", "caption.translation"]
    assert [each["text_content"] for each in told[-2:]] == ["es ONE", "es TWO"]
    # As a browser does after the end: with the last id, until it is told not to.
    assert await read_by_httpx(steno, path, told[-1]["id"]) == [{"name": "204"}]
    resumed = await read_by_httpx(steno, path, told[-2]["id"])
    assert [each["name"] for each in resumed] == ["caption.translation"]
    assert resumed[0]["text_content"] == "es TWO"
