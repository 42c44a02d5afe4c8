"""What the private Redis is told."""

from hypothesis import given
from hypothesis import strategies as st
from redis import ConnectionPool

from steno_standalone.domain.redis_config import MIB, Limits, config_text, limits, socket_url

GIB = 1024 * MIB


def test_the_configuration_is_private_kill_safe_and_never_evicts() -> None:
    bounds = Limits(memory=GIB, rewrite_log_at=256 * MIB)
    assert config_text("/dev/shm/steno-redis-7-x", "secret", bounds).splitlines() == [
        "port 0",
        'unixsocket "/dev/shm/steno-redis-7-x/redis.sock"',
        "unixsocketperm 700",
        'requirepass "secret"',
        'dir "/dev/shm/steno-redis-7-x"',
        "daemonize no",
        "loglevel warning",
        'save ""',
        "appendonly yes",
        "appendfsync no",
        "auto-aof-rewrite-min-size 268435456",
        "maxmemory 1073741824",
        "maxmemory-policy noeviction",
    ]


def test_the_address_is_one_that_redis_py_reads() -> None:
    url = socket_url("/run/user/1000/steno-redis-7-x", "0aff")
    address = ConnectionPool.from_url(url).connection_kwargs
    assert address["path"] == "/run/user/1000/steno-redis-7-x/redis.sock"
    assert address["password"] == "0aff"
    assert address["db"] == 0


def test_a_large_machine_gives_one_gibibyte() -> None:
    assert limits(64 * GIB, 32 * GIB) == Limits(memory=GIB, rewrite_log_at=256 * MIB)


def test_a_small_machine_gives_an_eighth_of_its_memory() -> None:
    assert limits(4 * GIB, 2 * GIB) == Limits(memory=512 * MIB, rewrite_log_at=256 * MIB)


@given(st.integers(0, 2**45), st.integers(512 * MIB, 2**45))
def test_a_log_with_its_rewrite_fits_the_room(memory: int, room: int) -> None:
    bounds = limits(memory, room)
    assert 64 * MIB <= bounds.memory <= GIB
    assert 3 * bounds.memory <= room
    assert bounds.memory + 2 * bounds.rewrite_log_at <= room
