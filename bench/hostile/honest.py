"""Honest sessions that go on while others mean harm."""

import asyncio

import aiohttp
from bench.pipeline import Seen, session, talk


async def honest(url: str, sessions: int, seconds: float, over: asyncio.Event) -> tuple[Seen, int]:
    """Hold so many paced sessions, one after the other, until `over`.

    Gives what they measured, and how many were begun.
    """
    seen, audio, begun = Seen(), talk(seconds), 0

    async def one(http: aiohttp.ClientSession, wait: float) -> None:
        nonlocal begun
        await asyncio.sleep(wait)
        while True:
            begun += 1
            await session(http, url, audio, seen)
            if over.is_set():
                return

    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
        asyncio.TaskGroup() as tasks,
    ):
        for number in range(sessions):
            # Spread over one turn of speech, so that not all finals come at once.
            wait = number * 3.5 / sessions
            tasks.create_task(one(http, wait), name=f"honest {number}")
    return seen, begun
