"""Fixtures of the contract tests."""

from collections.abc import AsyncIterator

import pytest
from tests.contract.stores import LIMITS, Stores
from tests.redis_servers import RedisServer

from steno_common.store.link import open_link


@pytest.fixture
async def stores(each_form: RedisServer) -> AsyncIterator[Stores]:
    """The stores on each Redis found and each form of several, empty."""
    async with open_link(each_form.url) as link:
        yield Stores(each_form, link, LIMITS)


@pytest.fixture
async def single(each_redis: RedisServer) -> AsyncIterator[Stores]:
    """The stores on each single Redis found, empty."""
    async with open_link(each_redis.url) as link:
        yield Stores(each_redis, link, LIMITS)
