"""Honest sessions that go on while others mean harm."""

import asyncio
from dataclasses import dataclass, field

import aiohttp
from bench.pipeline import Seen, session, talk


@dataclass
class Honest:
    """What became of them."""

    seen: Seen = field(default_factory=Seen)
    begun: int = 0
    refused: int = 0
    """Sessions that the server would not begin, or broke off, with a reason that passes."""

    @property
    def exact(self) -> bool:
        """Whether all were completed, with every sample accounted for."""
        return not self.refused and self.seen.completed == self.begun and self.seen.lost == 0


async def honest(url: str, sessions: int, seconds: float, over: asyncio.Event) -> Honest:
    """Hold so many paced sessions, each `seconds` long, one after the other, until `over`."""
    held, audio = Honest(), talk(seconds)

    async def one(http: aiohttp.ClientSession, wait: float) -> None:
        await asyncio.sleep(wait)
        while not over.is_set():
            held.begun += 1
            try:
                await session(http, url, audio, held.seen)
            except aiohttp.ClientError:
                held.refused += 1

    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
        asyncio.TaskGroup() as tasks,
    ):
        for number in range(sessions):
            # Spread over one turn of speech, so that not all finals come at once.
            wait = number * 3.5 / sessions
            tasks.create_task(one(http, wait), name=f"honest {number}")
    return held
