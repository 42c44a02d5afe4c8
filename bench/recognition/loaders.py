"""Processes of load, started and waited for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec
from bench.processes import beside
from bench.recognition.seen import Job, SeenSession


@dataclass(frozen=True, slots=True)
class Loader:
    """A running process of load."""

    process: asyncio.subprocess.Process
    answer: asyncio.Task[tuple[bytes, bytes]]

    async def seen(self) -> list[SeenSession]:
        """Wait for its end; a process that failed has seen nothing."""
        output, _ = await self.answer
        return msgspec.json.decode(output or b"[]", type=list[SeenSession])


@asynccontextmanager
async def loader(job: Job) -> AsyncIterator[Loader]:
    """Run one process; it ends with the block at the latest."""
    async with beside("bench.recognition.load") as process:
        answer = asyncio.create_task(process.communicate(msgspec.json.encode(job)), name="load")
        try:
            yield Loader(process, answer)
        finally:
            answer.cancel()
            await asyncio.wait([answer])
