"""The examples of docs/listeners.md, run as they are written."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.integration.gateway_support import PATIENCE_SECONDS, word_final
from tests.integration.translations_rig import CHUNK, Installation, installed
from tests.redis_servers import RedisServer

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
MADE = 1_699_500_000_000


@pytest.fixture
async def steno(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Installation]:
    async with installed(redis_server, tmp_path, translation_seconds=60.0) as steno:
        yield steno


@asynccontextmanager
async def example(url: str, *arguments: str, **options: Any
                  ) -> AsyncIterator[asyncio.subprocess.Process]:  # fmt: skip
    name, *others = arguments
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLES / name), *others, stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"STENO_URL": url}, **options,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def said(process: asyncio.subprocess.Process, given: bytes | None = None) -> list[str]:
    """Give all that a process says until it ends well."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        out, _ = await process.communicate(given)
    assert process.returncode == 0
    return out.decode().splitlines()


async def test_one_translates_what_it_hears_and_another_hears_it_in_its_language(
    steno: Installation,
) -> None:
    async with steno.one.recording() as (session_id, speaker):
        await steno.say(session_id, speaker, "hello")
        async with (
            example(steno.one.address, "translator.py", "--session", session_id, "es", "fr") as one,
            example(steno.other.address, "listen_translations.py", session_id, "es") as other,
        ):
            assert one.stdout is not None
            for language in ("es", "fr"):
                assert await one.stdout.readline() == f"201 [{language}] hello\n".encode()
            await steno.say(session_id, speaker, "goodbye")
            await steno.end(session_id, speaker)
            assert await said(one) == ["201 [es] goodbye", "201 [fr] goodbye"]
            told = await said(other)
    assert told.index("hello") < told.index("goodbye")
    assert set(told) == {
        "hello", "es: [es] hello (hello)", "goodbye", "es: [es] goodbye (goodbye)", "the end",
    }  # fmt: skip


async def test_what_a_pipeline_is_sent_is_given_back_once(steno: Installation) -> None:
    async with steno.one.recording() as (session_id, client):
        await client.chunks([CHUNK])
        await client.hear_stored(1)
        final = word_final("hello", 0, 100, 1, 1)
        fields = {name: getattr(final, name) for name in final.__struct_fields__}
        made = type(final)(**fields | {"created_ms": MADE})
        await steno.one.commit(session_id, events=[made])
        number = (await client.hear("transcription_final"))["event"]
    sent = [
        {"sessionId": session_id, "sourceLanguage": "en", "transcriptText": text,
         "isPartial": is_partial, "stabilityScore": 1.0, "timestamp": MADE + late,
         "emotionDynamics": {"volume": 0.5, "rate": 1.0, "energy": 0.5}}
        for text, is_partial, late in (
            ("hel", True, -1), ("hello", False, 0), ("hello", False, 0), ("what", False, 5)
        )
    ]  # fmt: skip
    lines = "".join(json.dumps(each) + "\n" for each in sent)
    async with example(
        steno.other.address, "translator.py", "es", stdin=asyncio.subprocess.PIPE
    ) as process:
        told = await said(process, lines.encode())
    assert told == ["201 [es] hello", "200 [es] hello", "404 event_not_found"]
    stored = [each.event for each in await steno.one.store.events(session_id, number)]
    assert [(each.event, each.text) for each in stored if hasattr(each, "event")] == [
        (number, "[es] hello")
    ]
