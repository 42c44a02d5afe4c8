"""The streams of a process: as many at once as its engine bears."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from steno_transcriber import metrics
from steno_transcriber.domain.hypothesis import Options
from steno_transcriber.domain.results import Result
from steno_transcriber.domain.samples import Samples
from steno_transcriber.engines.base import EngineAway, EngineLimited, Stream, StreamEngine
from steno_transcriber.watch import Watch


@dataclass(frozen=True, slots=True)
class _Watched:
    """A stream in which the first result shows that the engine is there."""

    stream: Stream
    works: Callable[[], None]

    async def send(self, audio: Samples) -> None:
        await self.stream.send(audio)

    async def finish(self) -> None:
        await self.stream.finish()

    async def results(self) -> AsyncIterator[Result]:
        async for result in self.stream.results():
            self.works()
            yield result

    async def aclose(self) -> None:
        await self.stream.aclose()


class Streams:
    """Opens streams of one engine within its limits."""

    def __init__(self, engine: StreamEngine) -> None:
        self.rules = engine.rules
        self.watch = Watch(engine.name)
        self._engine = engine
        self._free = asyncio.Semaphore(self.rules.max_streams)

    @asynccontextmanager
    async def open(self, options: Options) -> AsyncIterator[Stream]:
        """Hold an open stream.

        Raises EngineLimited if there is no room for it in time, EngineAway if it does not open in
        time, EngineError of other kinds as the engine says.
        """
        try:
            async with asyncio.timeout(self.rules.wait_seconds):
                await self._free.acquire()
        except TimeoutError:
            raise EngineLimited(f"{self.rules.max_streams} streams are open") from None
        try:
            with self.watch.tried() as works:
                stream = await self._opened(options)
                metrics.STREAMS.inc()
                try:
                    yield _Watched(stream, works)
                finally:
                    metrics.STREAMS.dec()
                    await stream.aclose()
        finally:
            self._free.release()

    async def _opened(self, options: Options) -> Stream:
        seconds = self.rules.connect_seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._engine.open(options)
        except TimeoutError:
            # Some libraries wait for ever for a server whose certificate they do not trust.
            raise EngineAway(
                f"no stream within {seconds:g} s: {self._engine.name} is not reachable, or its"
                " certificate is not trusted"
            ) from None
