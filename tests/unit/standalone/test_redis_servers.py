"""The Redis servers that other tests rely on."""

from typing import cast

import pytest
import redis
from tests.redis_servers import RedisServer, candidates


def test_each_server_runs_at_least_the_oldest_supported_version(each_redis: RedisServer) -> None:
    assert each_redis.version >= (6, 2)


def test_each_server_keeps_what_it_acknowledged_through_a_kill(each_redis: RedisServer) -> None:
    with each_redis.client() as client:
        for number in range(1, 2001):
            client.xadd("audio", {"data": "x" * 100}, id=f"{number}-0")
    each_redis.restart()
    with each_redis.client() as client:
        assert client.xlen("audio") == 2000


@pytest.mark.parametrize("run", ["first", "second"])
def test_each_test_begins_with_an_empty_server(each_redis: RedisServer, run: str) -> None:
    with each_redis.client() as client:
        assert client.dbsize() == 0
        client.set("left", run)


def test_a_killed_server_does_not_answer_until_it_is_started(redis_server: RedisServer) -> None:
    redis_server.kill()
    assert not redis_server.answers()
    redis_server.start()
    assert redis_server.answers()


async def test_the_address_works_with_an_asynchronous_client(redis_server: RedisServer) -> None:
    client = redis.asyncio.Redis.from_url(redis_server.url, decode_responses=True)
    await client.set("key", "value")
    assert await client.get("key") == "value"
    await client.aclose()


def test_a_private_server_keeps_a_bounded_log_and_evicts_nothing(each_redis: RedisServer) -> None:
    with each_redis.client() as client:
        settings = cast("dict[str, str]", client.config_get())
    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "no"
    assert settings["maxmemory-policy"] == "noeviction"
    assert settings["save"] == ""


def test_names_of_servers_are_distinct() -> None:
    names = [candidate.name for candidate in candidates()]
    assert len(set(names)) == len(names)
