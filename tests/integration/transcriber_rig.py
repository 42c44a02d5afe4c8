"""A gateway's hands on a real Redis, with transcriber workers to start and to stop."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import numpy as np

from steno_common.messages import Ended, Event, Final, Session
from steno_common.store.link import patiently
from steno_common.store.sessions import Chunk, Marker, SessionStore
from steno_common.store.work import WorkStore
from steno_transcriber.load import LoadMeter
from steno_transcriber.recognition import Recognition
from steno_transcriber.worker import Worker


def loud(seconds: float, seed: int) -> bytes:
    chosen = np.random.default_rng(seed).integers(-9_000, 9_000, round(seconds * 16_000))
    return chosen.astype("<i2").tobytes()


SPEECH = loud(1.5, 1) + bytes(48_000) + loud(1.0, 2) + bytes(48_000) + loud(0.7, 3)
"""1.5 s, 1 s and 0.7 s of speech with pauses of 1.5 s between them."""


class Rig:
    """A gateway's hands, and workers to start and to stop."""

    def __init__(self, sessions: SessionStore, work: WorkStore, recognition: Recognition) -> None:
        self.sessions = sessions
        self.work = work
        self.recognition = recognition

    async def begin(self) -> tuple[str, int]:
        session_id = str(uuid.uuid4())
        await self.sessions.create(Session(session_id, time.time_ns() // 10**6, "audio/pcm"), "e")
        attached = await self.sessions.attach(session_id)
        assert attached is not None
        return session_id, attached.conn

    async def send(
        self, held: tuple[str, int], pcm: bytes, *, size: int = 3_200, first: int = 1
    ) -> int:
        pieces = [pcm[at : at + size] for at in range(0, len(pcm), size)]
        chunks = [Chunk(first + n, piece) for n, piece in enumerate(pieces)]
        for at in range(0, len(chunks), 50):
            await patiently(partial(self.sessions.append, *held, chunks[at : at + 50]))
        return first + len(chunks)

    async def mark(self, held: tuple[str, int], kind: Marker, tail: bytes = b"") -> None:
        await self.sessions.mark(*held, kind, tail=tail)

    async def events(self, held: tuple[str, int]) -> list[Event]:
        return [entry.event for entry in await self.work.events(held[0])]

    async def finals(self, held: tuple[str, int]) -> list[tuple[str, int, int]]:
        events = await self.events(held)
        return [(e.text, e.start, e.end) for e in events if isinstance(e, Final)]

    @asynccontextmanager
    async def worker(self, max_sessions: int = 10) -> AsyncIterator[asyncio.Task[None]]:
        draining = asyncio.Event()
        worker = Worker(self.work, self.recognition, LoadMeter(), max_sessions)
        task = asyncio.create_task(worker.run(draining))
        try:
            yield task
        finally:
            draining.set()
            await asyncio.gather(task, return_exceptions=True)

    async def until(self, holds: Callable[[], Awaitable[bool]], seconds: float = 100) -> None:
        async with asyncio.timeout(seconds):
            while not await holds():  # noqa: ASYNC110 - it is another process's state
                await asyncio.sleep(0.02)

    async def ended(self, held: tuple[str, int]) -> None:
        async def holds() -> bool:
            return any(isinstance(event, Ended) for event in await self.events(held))

        await self.until(holds)
