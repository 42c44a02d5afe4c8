"""All services on one Redis with real clients, and hands that let it lose what it has."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import numpy as np
from tests.integration.aggregator_rig import QUICK as QUICK_PACE
from tests.integration.gateway_support import Gateway, running
from tests.redis_servers import RedisServer

from steno_aggregator.worker import Aggregator
from steno_client import Completed, Event, Policy, Session, Utterance, connect
from steno_client import Final as FinalEvent
from steno_common.archive import Archive
from steno_common.store.doorbell import DoorbellStore
from steno_gateway import metrics, restoring
from steno_notifier.worker import fan_out
from steno_transcriber.load import LoadMeter
from steno_transcriber.recognition import Recognition
from steno_transcriber.worker import Worker

QUICK: Final = Policy(delays=(0.1, 0.2, 0.3, 0.5, 1.0, 1.0), connect_seconds=5.0, ping_seconds=0.3,
                      dead_seconds=3.0, retry_seconds=0.05)  # fmt: skip
CHUNKS: Final = 60
"""Pieces that a recording is sent in."""


def loud(seconds: float, seed: int, rate: int = 16_000) -> bytes:
    """Give a voice that is the same every time."""
    chosen = np.random.default_rng(seed).integers(-9_000, 9_000, round(seconds * rate))
    return bytes(chosen.astype("<i2").tobytes())


def speech(rate: int = 16_000) -> bytes:
    """Give six sayings; a long pause parts two utterances."""
    pauses = [0.8, 0.7, 3.6, 0.9, 0.8, 0.3]
    said = [loud(0.6 + 0.25 * n, n, rate) + bytes(2 * round(pause * rate))
            for n, pause in enumerate(pauses)]  # fmt: skip
    return b"".join(said)


@dataclass
class Heard:
    """What a client was told, with what was saved."""

    finals: list[tuple[Any, ...]] = field(default_factory=list)
    utterances: list[tuple[Any, ...]] = field(default_factory=list)
    completed: Completed | None = None
    saved: Any = None

    def hear(self, event: Event) -> None:
        """Take an event."""
        match event:
            case FinalEvent():
                self.finals.append((event.text, event.start, event.end, event.confidence,
                                    event.language, event.words, event.prosody))  # fmt: skip
            case Utterance():
                self.utterances.append((event.index, event.text, event.start, event.end,
                                        event.confidence, event.language))  # fmt: skip
            case Completed():
                self.completed = event


def comparable(document: Any) -> Any:
    """Give a saved transcript without what differs between any two sessions.

    Numbers of events count statuses too, and those of a lost connection are some more.
    """
    numbers = [segment["event"] for segment in document["segments"]]
    place = {number: at for at, number in enumerate(numbers)}
    for segment in document["segments"]:
        segment["event"] = place[segment["event"]]
    for utterance in document["utterances"]:
        for name in ("first_event", "last_event"):
            utterance[name] = place[utterance[name]]
    for name in ("session_id", "start_time"):
        del document[name]
    del document["statistics"]["mean_latency_ms"]
    return document


Loss = Callable[[str], Awaitable[None]]
"""Takes something from Redis; is told the session."""


@dataclass
class House:
    """All services, running."""

    gateway: Gateway
    folder: Path

    async def flush(self, _session: str = "", *more: str) -> None:
        """Lose everything."""
        for command in ("FLUSHALL", *more):
            await (await self.gateway.link.atlas.node(0)).data.execute_command(command)  # type: ignore[no-untyped-call]

    def restored(self) -> float:
        """How many sessions were restored so far."""
        return float(metrics.RESTORED._value.get())

    async def transcribe(
        self,
        audio: bytes,
        losses: dict[int, Loss] | None = None,
        *,
        after_stop: Loss | None = None,
        pace: float = 0.01,
        **options: Any,
    ) -> Heard:
        """Send a recording in CHUNKS pieces; before some of them Redis loses what it has."""
        heard, size = Heard(), -(-len(audio) // CHUNKS)
        async with (
            asyncio.timeout(240),
            connect(self.gateway.address, policy=QUICK, **options) as session,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(self._follow(session, heard))
            for number in range(CHUNKS):
                if losses and number in losses:
                    await losses[number](session.id)
                await session.send(audio[number * size : (number + 1) * size])
                await asyncio.sleep(pace)
            finishing = tasks.create_task(session.finish())
            if after_stop is not None:
                await asyncio.sleep(0)
                await after_stop(session.id)
            await finishing
            heard.saved = comparable(json.loads(await session.download("json")))
        return heard

    async def _follow(self, session: Session, heard: Heard) -> None:
        async for event in session.events():
            heard.hear(event)


@asynccontextmanager
async def opened(server: RedisServer, folder: Path, recognition: Recognition, **settings: Any
                 ) -> AsyncIterator[House]:  # fmt: skip
    """Run a gateway with a transcriber, an aggregator, a notifier; checkpoints come often."""
    limits = {"shards": 2, "lease_seconds": 0.6, "silence_seconds": 3.0}
    draining = asyncio.Event()
    async with AsyncExitStack() as stack:
        stack.enter_context(patch.object(restoring, "CHECKPOINT_SECONDS", 0.02))
        gateway = await stack.enter_async_context(running(server, folder, limits, **settings))
        worker = Worker(gateway.work, recognition, LoadMeter(), 10)
        aggregator = Aggregator(gateway.windows, Archive(str(folder)), QUICK_PACE)
        doorbells = DoorbellStore(gateway.link, gateway.services.limits)
        ringing = asyncio.create_task(fan_out(doorbells))
        tasks = [asyncio.create_task(part.run(draining)) for part in (worker, aggregator)]
        try:
            yield House(gateway, folder)
        finally:
            draining.set()
            ringing.cancel()
            await asyncio.gather(*tasks)
