"""Channels of a simulation: whoever listens may hear, nobody can rely on it."""

import asyncio
from collections import deque
from typing import Any

from tests.simulation.chaos import Chaos
from tests.simulation.processes import WORLD

from steno_common.errors import StoreUnavailableError

MOST_HEARD = 1_000
"""A subscriber that reads less is cut off, as a real server does."""


class Channels:
    """All channels with those who have subscribed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, chaos: Chaos) -> None:
        self.subscribers: list[SimPubSub] = []
        self._loop, self._chaos = loop, chaos

    def publish(self, channel: str, data: bytes) -> int:
        """Tell those who listen, unless the bell is lost; gives their number."""
        heard = [each for each in self.subscribers if channel in each.channels]
        for each in heard:
            if not self._chaos.silent():
                message = {"channel": channel.encode(), "data": data}
                self._loop.call_later(self._chaos.delay(), each.arrive, message, context=WORLD)
        return len(heard)


class SimPubSub:
    """One subscriber, as a link shows it."""

    def __init__(self, channels: Channels) -> None:
        self.channels: set[str] = set()
        self._all = channels
        self._heard: deque[dict[str, Any]] = deque()
        self._news = asyncio.Event()
        self._broken = False

    async def __aenter__(self) -> "SimPubSub":
        self._all.subscribers.append(self)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._all.subscribers.remove(self)

    async def subscribe(self, *channels: str) -> None:
        self.channels.update(channels)

    async def unsubscribe(self, *channels: str) -> None:
        self.channels.difference_update(channels)

    def arrive(self, message: dict[str, Any]) -> None:
        """Take a message from the server."""
        self._broken = self._broken or len(self._heard) >= MOST_HEARD
        self._heard.append(message)
        self._news.set()

    async def get_message(self, timeout: float = 0.0) -> dict[str, Any] | None:
        """Wait for a message; None if there is none in time."""
        try:
            async with asyncio.timeout(timeout):
                while not self._heard:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return None
        if self._broken:
            raise StoreUnavailableError("simulated: cut off")
        return self._heard.popleft()
