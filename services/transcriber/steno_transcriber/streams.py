"""The streams of a process: as many at once as its engine bears."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

from steno_common.logs import about
from steno_transcriber import metrics
from steno_transcriber.domain.hypothesis import Options
from steno_transcriber.domain.results import Result
from steno_transcriber.domain.samples import Samples
from steno_transcriber.engines.base import EngineAway, EngineLimited, Stream, StreamEngine
from steno_transcriber.watch import Watch

log = logging.getLogger(__name__)


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
        self._closing: set[asyncio.Task[None]] = set()

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
        with ExitStack() as place:
            place.callback(self._free.release)
            with self.watch.tried() as works:
                stream = await self._opened(options)
                metrics.STREAMS.inc()
                place.callback(metrics.STREAMS.dec)
                try:
                    yield _Watched(stream, works)
                finally:
                    await self._let_go(stream, place.pop_all())

    async def _let_go(self, stream: Stream, place: ExitStack) -> None:
        """Close a stream, or abandon it if that takes too long; raises what closing it raises.

        Its place is free once closing it has ended, however late: until then it may be open.
        """

        def closed(task: asyncio.Task[None]) -> None:
            self._closing.discard(task)
            place.close()
            if not task.cancelled():
                task.exception()  # who abandoned it does not ask

        closing = asyncio.create_task(stream.aclose(), name="stream close")
        self._closing.add(closing)
        closing.add_done_callback(closed)
        try:
            await asyncio.wait([closing], timeout=self.rules.close_seconds)
        finally:
            if not closing.done():
                closing.cancel()
                metrics.STREAMS_ABANDONED.inc()
                log.warning("a stream was abandoned", extra=about(engine=self._engine.name))
        if closing.done():
            closing.result()

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
