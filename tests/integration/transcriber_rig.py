"""A gateway's hands on a real Redis, with transcriber workers to start and to stop."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from unittest.mock import patch

import numpy as np
from tests.redis_servers import RedisServer
from tests.waiting import until

from steno_common.messages import Ended, Event, Final, Session, Warned
from steno_common.store.limits import Limits
from steno_common.store.link import Link, open_link, patiently
from steno_common.store.sessions import Chunk, Marker, SessionStore
from steno_common.store.work import WorkStore
from steno_transcriber import recognition as recognition_module
from steno_transcriber.engines.base import WindowEngine
from steno_transcriber.load import LoadMeter
from steno_transcriber.recognition import Recognition, open_recognition
from steno_transcriber.scheduler import Observe, ignore
from steno_transcriber.session import POISON_TRIES
from steno_transcriber.settings import RecognitionSettings
from steno_transcriber.worker import Worker


def loud(seconds: float, seed: int) -> bytes:
    chosen = np.random.default_rng(seed).integers(-9_000, 9_000, round(seconds * 16_000))
    return chosen.astype("<i2").tobytes()


SPEECH = loud(1.5, 1) + bytes(48_000) + loud(1.0, 2) + bytes(48_000) + loud(0.7, 3)
"""1.5 s, 1 s and 0.7 s of speech with pauses of 1.5 s between them."""


class Rig:
    """A gateway's hands, and workers to start and to stop."""

    def __init__(self, link: Link, limits: Limits, recognition: Recognition) -> None:
        self.sessions = SessionStore(link, limits)
        self.work = WorkStore(link, limits)
        self.recognition = recognition

    async def begin(self, *engines: str) -> tuple[str, int]:
        session = Session(str(uuid.uuid4()), time.time_ns() // 10**6, "audio/pcm", engines=engines)
        await self.sessions.create(session, "e")
        attached = await self.sessions.attach(session.session_id)
        assert attached is not None
        return session.session_id, attached.conn

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
        worker = Worker(self.work, self.recognition, LoadMeter(), max_sessions)
        async with working(worker) as task:
            yield task

    async def poison(self, held: tuple[str, int]) -> None:
        """Claim a session as often as workers do whom its audio brings down."""
        shard = self.work.space.all_shards()[self.work.keys(held[0]).shard]

        async def claimable() -> bool:
            return bool(await self.work.claim(shard, 1))

        for _ in range(POISON_TRIES):
            await self.until(claimable)

    async def warned(self, held: tuple[str, int], code: str) -> None:
        async def holds() -> bool:
            told = [event.code for event in await self.events(held) if isinstance(event, Warned)]
            return code in told

        await self.until(holds)

    async def until(self, holds: Callable[[], Awaitable[bool]], seconds: float = 100) -> None:
        await until(holds, seconds)

    async def ended(self, held: tuple[str, int]) -> None:
        async def holds() -> bool:
            return any(isinstance(event, Ended) for event in await self.events(held))

        await self.until(holds)


@asynccontextmanager
async def working(worker: Worker) -> AsyncIterator[asyncio.Task[None]]:
    """Have a worker work; at the end it drains, unless it was cancelled before."""
    draining = asyncio.Event()
    task = asyncio.create_task(worker.run(draining))
    try:
        yield task
    finally:
        draining.set()
        await asyncio.wait([task])
    if not task.cancelled():
        task.result()


@asynccontextmanager
async def recognising(
    engine: WindowEngine, settings: RecognitionSettings, observe: Observe = ignore
) -> AsyncIterator[Recognition]:
    """Open the recognition of an engine of the test's own."""

    @asynccontextmanager
    async def opened(_settings: RecognitionSettings) -> AsyncIterator[WindowEngine]:
        yield engine

    async with AsyncExitStack() as stack:
        with patch.object(recognition_module, "open_engine", opened):
            opening = open_recognition(settings, observe)
            recognition = await stack.enter_async_context(opening)
        yield recognition


@asynccontextmanager
async def open_rig(
    server: RedisServer, limits: Limits, settings: RecognitionSettings
) -> AsyncIterator[Rig]:
    async with open_link(server.url) as link, open_recognition(settings) as recognition:
        yield Rig(link, limits, recognition)
