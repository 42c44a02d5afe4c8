"""A whole installation, between whose parts the network can be disturbed."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
from bench.installation import SERVICES, Installation, installation, redis_server
from bench.network.proxy import OPEN, Proxy, proxy

from steno_client import Completed, Final, Utterance, connect
from steno_client.domain.policy import Policy

RATE = 16_000
CHUNK = RATE // 5
"""Samples: 200 ms."""
QUICK = Policy(
    delays=300 * (0.2,), creation_seconds=60.0, connect_seconds=5.0, ping_seconds=0.3,
    dead_seconds=1.5, retry_seconds=0.2,
)  # fmt: skip
"""The patience of a client, shortened as the disturbances are."""
SILENCE_SECONDS = 12.0
"""Longer than any disturbance: a client that is cut off for 3 s would else count as silent, and
its utterance rightly be closed."""
SETTINGS = {
    "STENO_SILENCE_SECONDS": str(SILENCE_SECONDS),
    "STENO_MAX_HANDSHAKES_PER_SECOND_PER_IP": "500",
}


def talk() -> bytes:
    """Give speech with short pauses, and one pause that closes an utterance; s16le, 27 s."""
    rng = np.random.default_rng(5)

    def turn(speech: float, pause: float) -> np.ndarray[Any, np.dtype[np.int16]]:
        loud = rng.normal(0, 6_000, round(speech * RATE)).clip(-32_768, 32_767)
        return np.concatenate([loud, np.zeros(round(pause * RATE))]).astype(np.int16)

    turns = [(2.0, 1.0), (1.5, 1.2), (2.5, 13.0), (1.0, 0.8), (2.0, 2.0)]
    return np.concatenate([turn(*each) for each in turns]).tobytes()


def flac(pcm: bytes) -> bytes:
    """Give the same samples in a container."""
    file = io.BytesIO()
    with av.open(file, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=RATE, layout="mono")
        samples = np.frombuffer(pcm, np.int16).reshape(1, -1)
        for place in range(0, samples.shape[1], CHUNK):
            part = np.ascontiguousarray(samples[:, place : place + CHUNK])
            block = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
            block.sample_rate = RATE
            container.mux(stream.encode(block))
        container.mux(stream.encode(None))
    return file.getvalue()


@dataclass
class Heard:
    """What the user of a session has been given."""

    finals: list[Final] = field(default_factory=list)
    utterances: list[Utterance] = field(default_factory=list)
    completed: Completed | None = None

    @property
    def words(self) -> list[tuple[float, float, str]]:
        """The finals, in the order they were heard."""
        return [(final.start, final.end, final.text) for final in self.finals]

    @property
    def sentences(self) -> list[tuple[int, float, float, str]]:
        """The utterances, in the order they were heard."""
        return [(each.index, each.start, each.end, each.text) for each in self.utterances]


async def speak(url: str, seconds: float, mime_type: str = "audio/pcm") -> Heard:
    """Hold a session, sending all of `talk` in so many seconds; gives what was heard."""
    heard, clock = Heard(), asyncio.get_running_loop().time
    data = talk() if mime_type == "audio/pcm" else flac(talk())
    pieces = len(talk()) // (2 * CHUNK)
    size = 2 * (len(data) // pieces // 2 + 1)
    async with connect(url, policy=QUICK, mime_type=mime_type) as session:

        async def listen() -> None:
            async for event in session.events():
                if isinstance(event, Final):
                    heard.finals.append(event)
                elif isinstance(event, Utterance):
                    heard.utterances.append(event)

        listening = asyncio.create_task(listen())
        begin = clock()
        for number, place in enumerate(range(0, len(data), size)):
            await asyncio.sleep(max(0.0, begin + number * seconds / pieces - clock()))
            await session.send(data[place : place + size])
        heard.completed = await session.finish()
        await listening
    return heard


@dataclass
class Stage:
    """The installation, the proxies before it and inside it, what an undisturbed session hears."""

    steno: Installation
    back: Mapping[str, Proxy]
    """Between each service and Redis."""
    expected: Heard

    @asynccontextmanager
    async def front(self) -> AsyncIterator[Proxy]:
        """A network of a client's own before the gateway."""
        async with proxy(self.steno.url) as network:
            yield network

    def check(self, heard: Heard) -> None:
        """Everything was heard, once, as if nothing had happened."""
        assert heard.words == self.expected.words
        assert heard.sentences == self.expected.sentences
        assert heard.completed is not None
        assert self.expected.completed is not None
        assert heard.completed.text == self.expected.completed.text
        counted = heard.completed.statistics
        assert counted.received_samples == len(talk()) // 2
        assert counted.transcribed_samples + counted.silence_samples == counted.received_samples
        assert (counted.finals, counted.utterances) == (len(heard.finals), len(heard.utterances))
        assert self.steno.faults == []
        assert all(part.alive for part in self.steno.parts.values())

    async def disturbed(
        self, seconds: float, network: Proxy, disturb: Callable[[Proxy], Awaitable[None]],
        mime_type: str = "audio/pcm",
    ) -> Heard:  # fmt: skip
        """Hold a session through a network of its own, which is disturbed meanwhile."""
        async with asyncio.TaskGroup() as tasks:
            session = tasks.create_task(speak(network.url, seconds, mime_type))
            await disturb(network)
            network.both(OPEN)
        return session.result()


@asynccontextmanager
async def staged(folder: Path) -> AsyncIterator[Stage]:
    """Run an installation with a proxy between each service and Redis."""
    async with AsyncExitStack() as held:
        redis_url = await held.enter_async_context(redis_server(folder))
        back = {name: await held.enter_async_context(proxy(redis_url)) for name in SERVICES}
        urls = {name: network.url for name, network in back.items()}
        steno = await held.enter_async_context(installation(folder, urls, SETTINGS))
        expected = await speak(steno.url, 2.0)
        assert len(expected.finals) == 5
        assert len(expected.utterances) == 2
        yield Stage(steno, back, expected)
