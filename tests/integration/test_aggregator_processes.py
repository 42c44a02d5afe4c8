"""The aggregator with the notifier as processes: ready, at work, gone on a signal."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from bench.installation import Part, ready, service
from tests.integration.aggregator_rig import open_stage
from tests.redis_servers import RedisServer
from tests.waiting import until

from steno_common.archive import Archive


@asynccontextmanager
async def running(name: str, url: str, folder: Path) -> AsyncIterator[Part]:
    """Run a service until it is ready."""
    async with service(name, folder, url, {"STENO_SHARDS": "4"}) as part:
        await ready([part])
        yield part


@pytest.mark.parametrize("name", ["aggregator", "notifier"])
async def test_a_signal_ends_the_process_in_order(
    redis_server: RedisServer, tmp_path: Path, name: str
) -> None:
    async with running(name, redis_server.url, tmp_path) as part:
        async with aiohttp.ClientSession(part.address) as http, http.get("/metrics") as answer:
            assert f"steno_{name}_" in await answer.text()
        part.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(part.process.wait(), 60) == 0

    assert "Traceback" not in part.log.read_text()


async def test_a_killed_aggregator_is_replaced_without_a_trace(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with open_stage(redis_server.url) as stage:
        async with running("aggregator", redis_server.url, tmp_path) as part:
            played = await stage.play()
            await played.say("one", pause=3)
            part.process.kill()
            await part.process.wait()
        await played.say("two")
        await played.stop()
        async with running("aggregator", redis_server.url, tmp_path):
            await until(lambda: stage.finished(played.session_id))

    saved = (Archive(str(tmp_path / "output")).read(played.session_id, "txt") or b"").decode()
    assert saved.endswith("[00:00:00.000] one\n[00:00:04.000] two\n")
