"""A Redis that live sessions have filled, or that refuses to write: it passes, nothing is lost."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from tests.integration.gateway_support import SESSIONS, until
from tests.integration.overload_rig import CHUNKS, SAMPLES, House, Talker, house
from tests.redis_servers import BinaryServer, RedisServer

ROOM = 4 << 20
TALKERS = 5
"""Each has 1.4 MB to say."""
FINALS = 15
"""Three in each round of the speech; the last of one is the first of the next."""


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steno_gateway.memory.LOOK_SECONDS", 0.02)


@contextmanager
def small(server: RedisServer) -> Iterator[None]:
    """Leave a Redis little room beyond what it holds."""
    with server.client() as client:
        before = client.config_get("maxmemory")["maxmemory"]
        info = client.info("memory")
        client.config_set("maxmemory", info["used_memory"] + ROOM)
    try:
        yield
    finally:
        with server.client() as client:
            client.config_set("maxmemory", before)


def exact(talkers: list[Talker], alone: Talker) -> None:
    """Check that every session has the words of one that nothing held up, and all its audio."""
    assert len(alone.finals) == FINALS
    for talker in talkers:
        assert talker.finals == alone.finals
        assert talker.completed is not None
        assert alone.completed is not None
        assert talker.completed["text"] == alone.completed["text"]
        statistics = talker.completed["statistics"]
        assert statistics["received_samples"] == SAMPLES
        assert statistics["transcribed_samples"] + statistics["silence_samples"] == SAMPLES


async def refusal(home: House) -> tuple[int, str]:
    async with home.gateway.http.post(SESSIONS) as answer:
        return answer.status, (await answer.json())["code"]


async def test_sessions_that_fill_redis_are_held_until_a_transcriber_works_it_off(
    each_redis: RedisServer, tmp_path: Path
) -> None:
    async with house(each_redis, tmp_path) as home:
        memory = home.gateway.services.memory
        with small(each_redis):
            async with home.talking(TALKERS) as talkers:
                await until(lambda: asyncio.sleep(0, memory.inflow.stopped))
                held = await home.at_rest(talkers)
                assert 0 < held < TALKERS * len(CHUNKS)
                assert await refusal(home) == (503, "overloaded")
                async with home.transcriber():
                    await until(lambda: asyncio.sleep(0, not memory.pressure.refusing))
                    async with asyncio.timeout(200):
                        await all_done(talkers)
        exact(talkers, await home.alone())


async def test_a_redis_that_is_full_to_the_last_byte_is_worked_off_as_well(
    each_redis: RedisServer, tmp_path: Path
) -> None:
    async with house(each_redis, tmp_path, redis_refuse_ratio=0.0, redis_hold_ratio=0.0) as home:
        with small(each_redis):
            async with home.talking(TALKERS) as talkers:
                held = await home.at_rest(talkers, seconds=1.5)
                assert 0 < held < TALKERS * len(CHUNKS)
                # Redis refuses what the gateway would store.
                inflow = home.gateway.services.memory.inflow
                assert inflow.storing.is_set()
                assert inflow.waiting_bytes > 0
                async with home.transcriber(), asyncio.timeout(200):
                    await all_done(talkers)
        exact(talkers, await home.alone())


async def all_done(talkers: list[Talker]) -> None:
    while any(talker.completed is None for talker in talkers):  # noqa: ASYNC110 - others' work
        await asyncio.sleep(0.02)


@contextmanager
def without_replicas(server: RedisServer) -> Iterator[None]:
    """NOREPLICAS: more copies are asked for than there are."""
    with server.client() as client:
        client.config_set("min-replicas-to-write", 1)
    yield
    with server.client() as client:
        client.config_set("min-replicas-to-write", 0)


@contextmanager
def read_only(server: RedisServer) -> Iterator[None]:
    """READONLY: it is another's replica, as after a failover."""
    with server.client() as client:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
    yield
    with server.client() as client:
        client.execute_command("REPLICAOF", "NO", "ONE")


@contextmanager
def unable_to_save(server: RedisServer) -> Iterator[None]:
    """MISCONF: its last snapshot failed."""
    if not isinstance(server, BinaryServer):
        pytest.skip("only the child of a server of our own can be killed")
    with server.client() as client:
        client.config_set("save", "3600 1000000")
        client.config_set("rdb-key-save-delay", 10_000_000)
        client.set("steno:delayed", "1")
        pid = client.info("server")["process_id"]
        client.execute_command("BGSAVE")
        (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        os.kill(int(child), signal.SIGKILL)
        while client.info("persistence")["rdb_last_bgsave_status"] != "err":
            pass
    yield
    with server.client() as client:
        client.config_set("stop-writes-on-bgsave-error", "no")
        client.config_set("save", "")
        client.config_set("rdb-key-save-delay", 0)


Refusing = Callable[[RedisServer], AbstractContextManager[None]]


@pytest.mark.parametrize("refusing", [without_replicas, read_only, unable_to_save])
async def test_a_redis_that_refuses_to_write_for_a_while_costs_only_that_while(
    each_redis: RedisServer, tmp_path: Path, refusing: Refusing
) -> None:
    async with house(each_redis, tmp_path) as home, home.transcriber():
        async with home.talking(2) as talkers:
            await until(lambda: asyncio.sleep(0, all(t.stored > 20 for t in talkers)))
            with refusing(each_redis):
                held = await home.at_rest(talkers)
                assert held < 2 * len(CHUNKS)
                assert (await refusal(home))[0] == 503
            async with asyncio.timeout(200):
                await all_done(talkers)
        exact(talkers, await home.alone())
