"""The aggregator with the notifier as processes: ready, at work, gone on a signal."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from bench.ports import free_port
from tests.integration.aggregator_rig import open_stage, until
from tests.redis_servers import RedisServer

from steno_common.archive import Archive
from steno_common.health import PORT_OFFSETS


@asynccontextmanager
async def running(
    name: str, url: str, folder: Path
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """Run a service until it is ready; gives its address."""
    port = free_port(len(PORT_OFFSETS))
    environment = os.environ | {
        "STENO_REDIS_URL": url,
        "STENO_PORT": str(port),
        "STENO_SHARDS": "4",
        "STENO_OUTPUT": str(folder),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"steno_{name}", env=environment, stderr=asyncio.subprocess.PIPE
    )
    address = f"http://127.0.0.1:{port + PORT_OFFSETS[name]}"
    try:
        async with aiohttp.ClientSession() as http:

            async def ready() -> bool:
                assert process.returncode is None
                try:
                    async with http.get(f"{address}/readyz") as answer:
                        return answer.status == 200
                except aiohttp.ClientConnectionError:
                    return False

            await until(ready, 150)
        yield process, address
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("name", ["aggregator", "notifier"])
async def test_a_signal_ends_the_process_in_order(
    redis_server: RedisServer, tmp_path: Path, name: str
) -> None:
    async with running(name, redis_server.url, tmp_path) as (process, address):
        async with aiohttp.ClientSession() as http, http.get(f"{address}/metrics") as answer:
            assert f"steno_{name}_" in await answer.text()
        process.send_signal(signal.SIGTERM)
        _, said = await asyncio.wait_for(process.communicate(), 60)

    assert (process.returncode, b"Traceback" in said) == (0, False)


async def test_a_killed_aggregator_is_replaced_without_a_trace(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with open_stage(redis_server.url) as stage:
        async with running("aggregator", redis_server.url, tmp_path) as (process, _):
            played = await stage.play()
            await played.say("one", pause=3)
            process.kill()
            await process.wait()
        await played.say("two")
        await played.stop()
        async with running("aggregator", redis_server.url, tmp_path):
            await until(lambda: stage.finished(played.session_id))

    saved = (Archive(str(tmp_path)).read(played.session_id, "txt") or b"").decode()
    assert saved.endswith("[00:00:00.000] one\n[00:00:04.000] two\n")
