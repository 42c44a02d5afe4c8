"""All services but the transcriber beside a gateway, clients that keep to their credit."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.integration.gateway_support import (
    PATIENCE_SECONDS,
    Client,
    Gateway,
    Json,
    running,
    until,
)
from tests.integration.transcriber_rig import SPEECH
from tests.redis_servers import RedisServer

from steno_aggregator.worker import Aggregator, Pace
from steno_common.archive import Archive
from steno_common.store.link import open_link
from steno_common.store.work import WorkStore
from steno_gateway.domain.pressure import Memory
from steno_notifier.worker import fan_out
from steno_transcriber.load import LoadMeter
from steno_transcriber.recognition import open_recognition
from steno_transcriber.settings import RecognitionSettings
from steno_transcriber.worker import Worker

SETTINGS = RecognitionSettings(engine="scripted", pause_seconds=0.5)
CHUNK_BYTES = 3_200
AUDIO = SPEECH * 7
"""43.4 s."""
CHUNKS = [AUDIO[at : at + CHUNK_BYTES] for at in range(0, len(AUDIO), CHUNK_BYTES)]
SAMPLES = len(AUDIO) // 2


def plenty() -> Memory:
    """Give the memory of a machine that has enough."""
    return Memory(1 << 33, 1 << 34)


@dataclass
class Talker:
    """A client that sends its audio within its credit, and again what was refused."""

    client: Client
    stored: int = 0
    completed: Json | None = None
    refused: list[str] = field(default_factory=list)

    async def talk(self) -> None:
        """Send everything, stop, hear the end."""
        sent, credit, stopped = 0, int(self.client.greeting["credit"]), False
        while self.completed is None:
            while sent < min(self.stored + credit, len(CHUNKS)):
                await self.client.chunks([CHUNKS[sent]], first=sent + 1)
                sent += 1
            if sent == len(CHUNKS) and not stopped:
                await self.client.act("stop")
                stopped = True
            message = await self._next()
            match message["type"]:
                case "server:ack":
                    assert message["sequence_number"] >= self.stored, "an ack was taken back"
                    self.stored, credit = message["sequence_number"], message["credit"]
                case "server:error":
                    self.refused.append(message["code"])
                    sent = message["resend_from"] - 1
                case "server:session_completed":
                    self.completed = message

    async def _next(self) -> Json:
        """Hear a message; a client without credit says that it is there."""
        hearing = asyncio.create_task(self.client.next())
        try:
            while not (await asyncio.wait({hearing}, timeout=5))[0]:
                await self.client.say("ping")
            return await hearing
        finally:
            hearing.cancel()

    @property
    def finals(self) -> list[tuple[str, float, float]]:
        """What was said, and when."""
        found = self.client.told("transcription_final")
        return [(one["text_content"], one["start_time"], one["end_time"]) for one in found]


@dataclass
class House:
    """A gateway, an aggregator, a notifier; transcribers come and go."""

    gateway: Gateway
    others: list[asyncio.Task[Any]]

    @asynccontextmanager
    async def transcriber(self) -> AsyncIterator[None]:
        """Run a transcriber."""
        draining = asyncio.Event()
        limits = self.gateway.services.limits
        async with (
            open_recognition(SETTINGS) as recognition,
            open_link(limits.redis_url) as link,
        ):
            worker = Worker(WorkStore(link, limits), recognition, LoadMeter(), 100)
            task = asyncio.create_task(worker.run(draining))
            try:
                yield
            finally:
                draining.set()
                await task

    @asynccontextmanager
    async def talking(self, count: int) -> AsyncIterator[list[Talker]]:
        """Have clients talk; at the end of the context they have heard all."""
        # All are there before the first one speaks: it may fill what there is.
        async with AsyncExitStack() as stack:
            joined = [await stack.enter_async_context(self.gateway.recording())
                      for _ in range(count)]  # fmt: skip
            talkers = [Talker(client) for _, client in joined]
            async with asyncio.TaskGroup() as tasks:
                for talker in talkers:
                    tasks.create_task(talker.talk())
                yield talkers

    async def alone(self) -> Talker:
        """Give one who talked with nobody else there, and a transcriber."""
        pressure = self.gateway.services.memory.pressure
        await until(lambda: asyncio.sleep(0, not pressure.refusing))
        async with self.transcriber(), self.talking(1) as (talker,):
            pass
        return talker

    async def at_rest(self, talkers: list[Talker], seconds: float = 1.0) -> int:
        """Wait until nothing more is acknowledged; gives the number of chunks that were."""
        clock, stored = asyncio.get_running_loop().time, -1
        since = clock()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while clock() - since < seconds:
                now = sum(talker.stored for talker in talkers)
                if now != stored:
                    stored, since = now, clock()
                await asyncio.sleep(0.02)
        return stored


@asynccontextmanager
async def house(server: RedisServer, folder: Path, **settings: Any) -> AsyncIterator[House]:
    """Run all services but the transcriber; at the end each of them is still at work."""
    async with (
        running(server, folder, machine=plenty, **settings) as gateway,
        open_link(server.url) as link,
    ):
        limits, draining = gateway.services.limits, asyncio.Event()
        windows, bells = type(gateway.windows)(link, limits), type(gateway.doorbells)(link, limits)
        await bells.prepare()
        aggregator = Aggregator(windows, Archive(str(folder)), Pace(longest_retry_ms=1_000))
        aggregating = asyncio.create_task(aggregator.run(draining), name="aggregator")
        notifying = asyncio.create_task(fan_out(bells), name="notifier")
        try:
            yield House(gateway, [aggregating, notifying])
            assert not aggregating.done()
            assert not notifying.done()
        finally:
            draining.set()
            notifying.cancel()
            await asyncio.wait([aggregating, notifying])
