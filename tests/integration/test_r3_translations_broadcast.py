"""R3: the pipeline translates, and broadcasts to listeners of that language, on any gateway."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.integration.gateway_support import SESSIONS, Client, read_events
from tests.integration.translations_rig import (
    Installation,
    installed,
    kinds,
    texts,
    translate,
    translate_all,
)
from tests.redis_servers import RedisServer

LANGUAGES = ("es", "fr", "de")


@pytest.fixture
async def steno(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Installation]:
    # Long enough for a test to fail by its own limit if somebody waits for it in vain.
    async with installed(redis_server, tmp_path, translation_seconds=60.0) as steno:
        yield steno


async def test_each_listener_gets_its_language_also_from_a_pipeline_that_lags(
    steno: Installation,
) -> None:
    async with steno.one.recording() as (session_id, speaker), AsyncExitStack() as stack:
        listeners: dict[tuple[str, int], Client] = {}
        for place, gateway in enumerate((steno.one, steno.other)):
            for language in LANGUAGES:
                path = f"{SESSIONS}/{session_id}/listen?language={language}"
                socket = gateway.socket(path)
                listeners[language, place] = await stack.enter_async_context(socket)
        plain = await stack.enter_async_context(
            steno.other.socket(f"{SESSIONS}/{session_id}/listen")
        )
        for listener in (*listeners.values(), plain):
            await listener.hear("session_created")
        first = await steno.say(session_id, speaker, "one")
        for language in LANGUAGES:
            status, answer = await translate(
                steno.other, session_id, language, f"{language} ONE", first
            )
            assert status == 201, answer
        for (language, _), listener in listeners.items():
            message = await listener.hear("translation")
            assert message["created_at"].endswith("Z")
            assert message | {"event": 0, "created_at": ""} == {
                "type": "server:translation", "session_id": session_id, "event": 0, "of": first,
                "language": language, "text_content": f"{language} ONE", "start_time": 0.0,
                "end_time": 0.1, "created_at": "",
            }  # fmt: skip
        second = await steno.say(session_id, speaker, "two")
        await steno.end(session_id, speaker)
        assert await plain.hear_end() == 1000
        assert await speaker.hear_end() == 1000
        for (language, place), listener in listeners.items():
            await listener.hear("session_completed")
            if not place:
                await translate(steno.one, session_id, language, f"{language} TWO", second)
        for (language, _), listener in listeners.items():
            # It ends by itself, long before the time for what is outstanding is over.
            assert await listener.hear_end() == 1000
            assert texts(listener, "transcription_final") == ["one", "two"]
            assert texts(listener, "translation") == [f"{language} ONE", f"{language} TWO"]
    for unchanged in (plain, speaker):
        assert "translation" not in kinds(unchanged)
        assert unchanged.heard[-1]["type"] == "server:session_completed"
        assert texts(unchanged, "transcription_final") == ["one", "two"]


async def test_a_listener_may_leave_the_original_out_or_take_several_languages(
    steno: Installation,
) -> None:
    async with steno.one.recording() as (session_id, speaker):
        path = f"{SESSIONS}/{session_id}/listen"
        async with (
            steno.one.socket(f"{path}?language=es&original=false") as alone,
            steno.other.socket(f"{path}?language=es,pt&language=fr") as several,
        ):
            for listener in (alone, several):
                await listener.hear("session_created")
            await steno.say(session_id, speaker, "one")
            await steno.end(session_id, speaker)
            for language in ("es-MX", "fr", "pt-BR", "de"):
                await translate_all(steno.other, session_id, language)
            for listener in (alone, several):
                assert await listener.hear_end() == 1000
        assert kinds(alone) == {"session_created", "status", "translation", "session_completed"}
        assert texts(alone, "translation") == ["es-MX ONE"]
        assert sorted(texts(several, "translation")) == ["es-MX ONE", "fr ONE", "pt-BR ONE"]
        assert "transcription_final" in kinds(several)


async def test_the_speaker_hears_translations_if_it_asks(steno: Installation) -> None:
    session_id = await steno.one.create()
    async with steno.one.socket(f"{SESSIONS}/{session_id}/ws?language=es") as speaker:
        await speaker.hear("session_created")
        final = await steno.say(session_id, speaker, "one")
        await steno.end(session_id, speaker)
        await speaker.hear("session_completed")
        await translate(steno.other, session_id, "es", "uno", final)
        assert await speaker.hear_end() == 1000
        assert texts(speaker, "translation") == ["uno"]


async def test_one_that_comes_late_gets_all_of_its_language_and_the_end(
    steno: Installation,
) -> None:
    async with steno.one.recording() as (session_id, speaker):
        for text in ("one", "two", "three"):
            await steno.say(session_id, speaker, text)
        await translate_all(steno.one, session_id, "es")
        await steno.end(session_id, speaker)
    await translate_all(steno.one, session_id, "fr")
    path = f"{SESSIONS}/{session_id}/listen"
    async with steno.other.socket(f"{path}?language=es,fr") as listener:
        assert await listener.hear_end() == 1000
    numbers = [message["event"] for message in listener.heard if "event" in message]
    assert numbers == sorted(numbers)
    assert texts(listener, "translation") == [
        f"{language} {text}" for language in ("es", "fr") for text in ("ONE", "TWO", "THREE")
    ]
    starts = [message["start_time"] for message in listener.told("translation")]
    assert starts == [0.0, 0.1, 0.2] * 2
    # It goes on by number too; the end comes again, because it is what ends the connection.
    last = numbers[-2]
    async with steno.other.socket(f"{path}?language=fr&last_event={last}") as again:
        assert await again.hear_end() == 1000
    assert [m["type"] for m in again.heard][:2] == [
        "server:session_created", "server:session_completed",
    ]  # fmt: skip
    assert texts(again, "translation") == ["fr ONE", "fr TWO", "fr THREE"]
    middle = listener.told("translation")[1]["event"]
    async with steno.other.socket(f"{path}?language=es&last_event={middle}") as rest:
        assert await rest.hear_end() == 1000
    assert [(m["text_content"], m["start_time"]) for m in rest.told("translation")] == [
        ("es THREE", 0.2)
    ]


async def test_what_is_never_translated_is_waited_for_so_long_and_no_longer(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with installed(redis_server, tmp_path, translation_seconds=0.5) as steno:
        async with steno.one.recording() as (session_id, speaker):
            await steno.say(session_id, speaker, "one")
            async with steno.other.socket(f"{SESSIONS}/{session_id}/listen?language=es") as one:
                await one.hear("session_created")
                await steno.end(session_id, speaker)
                await one.hear("session_completed")
                clock = asyncio.get_running_loop().time
                began = clock()
                assert await one.hear_end() == 1000
                assert clock() - began > 0.4
        # What came after that is there for those who join now.
        await translate_all(steno.one, session_id, "es")
        async with steno.other.socket(f"{SESSIONS}/{session_id}/listen?language=es") as late:
            assert await late.hear_end() == 1000
        assert texts(late, "translation") == ["es ONE"]


async def test_a_browser_is_told_when_not_to_come_back(steno: Installation) -> None:
    async with steno.one.recording() as (session_id, speaker):
        epoch = speaker.greeting["epoch"]
        final = await steno.say(session_id, speaker, "one")
        await steno.end(session_id, speaker)
    end = (await steno.one.snapshot(session_id)).finished
    path = f"{SESSIONS}/{session_id}/events"
    status, answer = await translate(steno.one, session_id, "es", "uno", final)
    assert (status, answer["event"]) == (201, end + 1)
    told = {}
    for query in ("", "?language=es", "?language=fr"):
        async with steno.other.http.get(
            path + query, headers={"Last-Event-ID": f"{epoch}-{end}"}
        ) as response:
            events = await read_events(response) if response.status == 200 else []
            told[query] = (response.status, [(name, event_id) for name, event_id, _ in events])
    assert told == {
        "": (204, []),
        "?language=es": (200, [("caption.translation", f"{epoch}-{end + 1}")]),
        "?language=fr": (204, []),
    }
    async with steno.other.http.get(
        f"{path}?language=es", headers={"Last-Event-ID": f"{epoch}-{end + 1}"}
    ) as response:
        assert response.status == 204
