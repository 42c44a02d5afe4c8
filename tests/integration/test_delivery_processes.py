"""Notifiers and a receiver as processes that are killed: nothing is lost, nothing out of order."""

import asyncio
import json
import os
import random
import signal
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.ports import free_port
from tests.integration.aggregator_rig import Played, Stage, open_stage
from tests.redis_servers import RedisServer
from tests.waiting import until

from steno_common.destinations import Installed

ROOT = Path(__file__).parents[2]
RECEIVER = (sys.executable, "-m", "tests.integration.receiver_process")


@dataclass
class Kept:
    """A process that is started again when it is killed."""

    argv: Sequence[str]
    environment: dict[str, str]
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *self.argv, env=os.environ | self.environment, cwd=ROOT,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip

    async def kill(self) -> None:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def again(self, away: float = 0.0) -> None:
        """Kill it, and start it a while later."""
        await self.kill()
        await asyncio.sleep(away)
        await self.start()


@asynccontextmanager
async def kept(argv: Sequence[str], **environment: str) -> AsyncIterator[Kept]:
    one = Kept(argv, environment)
    await one.start()
    try:
        yield one
    finally:
        await one.kill()


def taken(path: Path) -> dict[str, list[str]]:
    """Give the finals that the receiver has, by session, without what came under an id before."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for line in path.read_text().splitlines() if path.exists() else ():
        body = json.loads(line)
        if body["kind"] == "final":
            found[body["session"]].setdefault(body["id"], body["text"])
    return {session: list(texts.values()) for session, texts in found.items()}


def notifier(redis_url: str, url: str) -> tuple[list[str], dict[str, str]]:
    environment = {
        "STENO_REDIS_URL": redis_url,
        "STENO_SHARDS": "4",
        "STENO_PORT": str(free_port(4)),
        "STENO_WEBHOOK_URL": url,
        "STENO_WEBHOOK_RETRIES": ",".join(["0.1"] * 600),
        "STENO_DELIVERY_SECONDS": "2",
    }
    return [sys.executable, "-m", "tests.integration.notifier_process"], environment


async def speak(stage: Stage, url: str, sessions: int, words: int) -> list[Played]:
    """Have sessions say numbered words, a few a second."""
    destinations = Installed(webhook_url=url).destinations
    everybody = [await stage.play(*destinations) for _ in range(sessions)]
    for word in range(words):
        for played in everybody:
            await played.say(f"{word}")
        await asyncio.sleep(0.05)
    return everybody


async def all_taken(path: Path, everybody: Sequence[Played], words: int) -> None:
    async def enough() -> bool:
        return sum(map(len, taken(path).values())) >= len(everybody) * words

    await until(enough, 150)
    expected = [f"{word}" for word in range(words)]
    assert taken(path) == {played.session_id: expected for played in everybody}


async def under(kill: Callable[[], object], all_of_it: "Running", times: int) -> None:
    """Have sessions speak while something is killed again and again."""
    words, sessions = 20 * times, 5
    speaking = asyncio.create_task(
        speak(all_of_it.stage, all_of_it.url, sessions, words), name="speakers"
    )
    for _ in range(times):
        await asyncio.sleep(0.8)
        await kill()  # type: ignore[misc]
    await all_taken(all_of_it.path, await speaking, words)


@dataclass(frozen=True, slots=True)
class Running:
    """Sessions, a receiver, notifiers: each beside the first a process."""

    stage: Stage
    url: str
    path: Path
    """What the receiver has taken."""
    receiver: Kept
    notifiers: Sequence[Kept]

    def runs(self) -> bool:
        """Say whether no notifier has ended."""
        started = [one.process for one in self.notifiers]
        return all(process is not None and process.returncode is None for process in started)


@asynccontextmanager
async def running(server: RedisServer, folder: Path, notifiers: int = 1) -> AsyncIterator[Running]:
    port, path = free_port(), folder / "taken"
    url = f"http://127.0.0.1:{port}/"
    async with open_stage(server.url) as stage, AsyncExitStack() as processes:
        receiver = await processes.enter_async_context(kept([*RECEIVER, str(port), str(path)]))
        started = []
        for argv, environment in [notifier(server.url, url) for _ in range(notifiers)]:
            started.append(await processes.enter_async_context(kept(argv, **environment)))
        yield Running(stage, url, path, receiver, started)


async def test_a_receiver_that_dies_and_comes_back_has_everything_in_order(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with running(redis_server, tmp_path) as all_of_it:
        await under(lambda: all_of_it.receiver.again(0.5), all_of_it, 4)


async def test_notifiers_killed_in_the_middle_of_deliveries_lose_nothing(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    chance = random.Random(7)
    async with running(redis_server, tmp_path, notifiers=2) as all_of_it:
        await under(lambda: chance.choice(all_of_it.notifiers).again(), all_of_it, 5)


async def test_a_redis_that_is_killed_loses_no_delivery(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with running(redis_server, tmp_path) as all_of_it:
        everybody = await speak(all_of_it.stage, all_of_it.url, 5, 10)
        for word in range(10, 20):
            redis_server.restart()
            await until(all_of_it.stage.link.ping)
            for played in everybody:
                await played.say(f"{word}")
        await all_taken(all_of_it.path, everybody, 20)
        assert all_of_it.runs()


async def test_a_signal_ends_a_notifier_that_delivers(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with running(redis_server, tmp_path) as all_of_it:
        await all_taken(all_of_it.path, await speak(all_of_it.stage, all_of_it.url, 2, 3), 3)
        assert all_of_it.runs()
        process = all_of_it.notifiers[0].process
        assert process is not None
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 60) == 0
