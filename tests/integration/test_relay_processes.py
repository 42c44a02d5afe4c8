"""A relay's receiver is killed with what its library had read ahead: that comes again."""

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from bench.ports import free_port
from tests.integration.aggregator_rig import Played, Stage, open_stage
from tests.integration.test_delivery_processes import kept
from tests.redis_servers import RedisServer
from tests.waiting import until

from steno_aggregator.closing import close_windows
from steno_common.destinations import Installed

RECEIVER = (sys.executable, "-m", "tests.integration.ahead_process")
NOTIFIER = (sys.executable, "-m", "steno_notifier")
SESSIONS, HANDLED = 5, 7
WORDS = HANDLED + 1
"""So each session has one left when so many are handled, whosever they were."""
PATIENCE_SECONDS = 120.0


def lines(path: Path) -> list[dict[str, Any]]:
    """Give the messages in a file; the last line may be half written."""
    whole = path.read_bytes().rpartition(b"\n")[0] if path.exists() else b""
    return [json.loads(line) for line in whole.splitlines()]


def ids(path: Path) -> set[str]:
    return {message["id"] for message in lines(path)}


async def speak(stage: Stage, url: str) -> list[Played]:
    """Have each session say words with a silence behind each."""
    destinations = Installed(relay_url=url).destinations
    everybody = [await stage.play(*destinations) for _ in range(SESSIONS)]
    for word in range(WORDS):
        for played in everybody:
            await played.say(f"word {word}", pause=4)
            await close_windows(stage.windows, played.session_id)
    return everybody


async def test_what_a_library_had_read_ahead_when_its_program_was_killed_comes_again(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    read, done = tmp_path / "read", tmp_path / "kept"
    port = free_port()
    url = f"ws://127.0.0.1:{port}/"
    receiver = (*RECEIVER, str(port), str(tmp_path))
    environment = {
        "STENO_REDIS_URL": redis_server.url,
        "STENO_SHARDS": "4",
        "STENO_PORT": str(free_port(4)),
        "STENO_RELAY_URL": url,
        "STENO_RELAY_ANSWERS": "true",
        "STENO_RELAY_RETRIES": "0.1",
        "STENO_RELAY_SECONDS": "600",
        "STENO_DELIVERY_SECONDS": "60",
    }
    async with open_stage(redis_server.url) as stage, kept(NOTIFIER, **environment):
        everybody = await speak(stage, url)
        async with kept((*receiver, str(HANDLED))):

            async def all_that_may_be_ahead() -> bool:
                # Of each session the next message, which has not been answered.
                return len(ids(read)) == HANDLED + SESSIONS

            await until(all_that_may_be_ahead, PATIENCE_SECONDS)
        assert len(ids(done)) == HANDLED  # killed here
        ahead = ids(read) - ids(done)
        async with kept(receiver):

            async def everything() -> bool:
                return len(ids(done)) == SESSIONS * WORDS

            await until(everything, PATIENCE_SECONDS)

    told = defaultdict(list)
    for message in lines(done):
        texts = [item["text"] for item in message["items"]]
        told[message["session_id"]].append((message["id"], texts))
    assert told == {
        played.session_id: [
            (f"{played.session_id}-utterance-{word}", [f"word {word}"]) for word in range(WORDS)
        ]
        for played in everybody
    }
    tries = [message["id"] for message in lines(read)]
    assert all(tries.count(name) >= 2 for name in ahead)
