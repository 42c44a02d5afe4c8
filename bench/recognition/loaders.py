"""Processes of load, started and waited for."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec
from bench.processes import ROOT
from bench.recognition.seen import Job, SeenSession

from steno_standalone.child import tethered


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
    process = await asyncio.create_subprocess_exec(
        *tethered((sys.executable, "-m", "bench.recognition.load")),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    answer = asyncio.create_task(process.communicate(msgspec.json.encode(job)), name="load")
    try:
        yield Loader(process, answer)
    finally:
        if process.returncode is None:
            process.kill()
        await asyncio.wait([answer])
