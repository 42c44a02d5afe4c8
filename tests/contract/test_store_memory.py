"""How full a Redis says it is."""

from urllib.parse import urlsplit, urlunsplit

import pytest
from tests.contract.stores import Stores

from steno_common.errors import StoreError, StoreUnavailableError
from steno_common.store.link import open_link


async def test_a_redis_with_a_bound_says_what_share_of_it_is_used(single: Stores) -> None:
    with single.server.client() as client:
        used = int(client.info("memory")["used_memory"])
    before = (await single.redis("CONFIG", "GET", "maxmemory"))[1]
    await single.redis("CONFIG", "SET", "maxmemory", 2 * used)
    try:
        (ratio,) = await single.link.memory()
    finally:
        await single.redis("CONFIG", "SET", "maxmemory", before)
    assert 0.4 < ratio < 0.6


async def test_a_redis_without_a_bound_is_never_full(single: Stores) -> None:
    before = (await single.redis("CONFIG", "GET", "maxmemory"))[1]
    await single.redis("CONFIG", "SET", "maxmemory", 0)
    try:
        assert await single.link.memory() == []
    finally:
        await single.redis("CONFIG", "SET", "maxmemory", before)


async def test_a_user_who_may_not_ask_is_told_so_once_and_for_all(single: Stores) -> None:
    await single.redis("ACL", "SETUSER", "narrow", "on", ">word", "~*", "&*", "+@all", "-info")
    address = urlsplit(single.server.url)
    place = address.netloc.rpartition("@")[2]
    narrow = urlunsplit(address._replace(netloc=f"narrow:word@{place}"))
    try:
        async with open_link(narrow) as link:
            with pytest.raises(StoreError) as raised:
                await link.memory()
        assert not isinstance(raised.value, StoreUnavailableError)
    finally:
        await single.redis("ACL", "DELUSER", "narrow")
