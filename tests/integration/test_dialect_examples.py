"""The examples of docs/dialects.md run as they are written."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.integration.dialect_support import engine, only_session, session_of, stored
from tests.integration.gateway_support import PATIENCE_SECONDS, Gateway, noise, running
from tests.redis_servers import RedisServer

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PIPE = asyncio.subprocess.PIPE


@asynccontextmanager
async def example(name: str, gateway: Gateway) -> AsyncIterator[asyncio.subprocess.Process]:
    program = (sys.executable, str(EXAMPLES / name), gateway.address)
    process = await asyncio.create_subprocess_exec(*program, stdin=PIPE, stdout=PIPE)
    try:
        async with asyncio.timeout(2 * PATIENCE_SECONDS):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_live_words(redis_server: RedisServer, tmp_path: Path) -> None:
    async with (
        running(redis_server, tmp_path) as gateway,
        engine(gateway),
        example("live_words.py", gateway) as process,
    ):
        asked = asyncio.create_task(process.communicate(noise(1)))
        session_id = await only_session(gateway)
        await gateway.finish(session_id, "one", "two")
        told, _ = await asked
        assert told.decode() == "one\ntwo\n"
        assert process.returncode == 0


async def test_watch_status(redis_server: RedisServer, tmp_path: Path) -> None:
    async with (
        running(redis_server, tmp_path) as gateway,
        example("watch_status.py", gateway) as process,
    ):
        assert process.stdout is not None
        assert b"'engine_ready': False" in await process.stdout.readline()
        async with engine(gateway):
            assert b"'engine_ready': True" in await process.stdout.readline()


async def test_send_audio(redis_server: RedisServer, tmp_path: Path) -> None:
    audio = noise(0.7)
    async with (
        running(redis_server, tmp_path) as gateway,
        engine(gateway),
        example("send_audio.py", gateway) as process,
    ):
        asked = asyncio.create_task(process.communicate(audio))
        session_id = await session_of(gateway, "golden-eagle-427")
        await stored(gateway, session_id, 11_200)
        assert await gateway.pcm(session_id) == audio
        await gateway.finish(session_id, "hello")
        told, _ = await asked
        lines = told.decode().splitlines()
        assert "'transcriptText': 'hello'" in lines[0]
        assert "'type': 'sessionEnded'" in lines[-1]
        assert process.returncode == 0
