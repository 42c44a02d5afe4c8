"""Fixtures of the contract tests."""

from collections.abc import AsyncIterator

import pytest
from tests.contract.stores import LIMITS, Stores
from tests.redis_servers import RedisServer

from steno_common.store.link import open_link


@pytest.fixture
async def stores(each_redis: RedisServer) -> AsyncIterator[Stores]:
    """The stores on each Redis found, empty."""
    async with open_link(each_redis.url) as link:
        yield Stores(each_redis, link, LIMITS)
