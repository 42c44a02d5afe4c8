"""The Redis that an installation works with: one given, else one of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from steno_common.errors import SettingsError
from steno_common.store import addresses
from steno_standalone.child import Program
from steno_standalone.domain.binaries import MINIMUM_VERSION
from steno_standalone.errors import NoRedisError
from steno_standalone.find import find_binaries
from steno_standalone.private_redis import private_redis


@dataclass(frozen=True, slots=True)
class RedisChoice:
    """Address, the program to keep alive (None for a Redis that was given), words for people."""

    url: str = field(repr=False)
    program: Program | None
    title: str


@contextmanager
def choose_redis(given_url: str | None) -> Iterator[RedisChoice]:
    """Take the given Redis, else prepare the best one installed.

    Raises NoRedisError when there is none, or the given address cannot be read.
    """
    if given_url is not None:
        try:
            # The address may carry a password: only its harmless parts are shown.
            where = addresses.title(given_url)
        except SettingsError as error:
            raise NoRedisError(error.message) from error
        yield RedisChoice(given_url, None, f"at {where}, whose own settings say what it survives")
        return
    binaries = find_binaries()
    if not binaries:
        raise NoRedisError(
            "no Redis found: install redis-server or valkey-server "
            f"{MINIMUM_VERSION[0]}.{MINIMUM_VERSION[1]} or later, or set STENO_REDIS_URL"
        )
    binary = binaries[0]
    with private_redis(binary) as private:
        title = (
            f"{binary.title} {binary.origin}, private, log in {private.folder}; "
            "level L1: survives the death of any process"
        )
        yield RedisChoice(private.url, private.program, title)
