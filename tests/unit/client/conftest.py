"""A fake gateway for the client."""

from collections.abc import AsyncIterator

import pytest
from tests.unit.client.fake_gateway import FakeGateway, running


@pytest.fixture
async def gateway() -> AsyncIterator[FakeGateway]:
    async with running(FakeGateway()) as gateway:
        yield gateway
