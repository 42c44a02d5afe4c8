"""A stream engine of which every fault is an EngineError: it is somebody else's code.

Any other error would be taken for one of Steno's own: the session would be tried again and again
with the same engine, and never go to another one.
"""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from steno_common.logs import about
from steno_transcriber.domain.hypothesis import Options
from steno_transcriber.domain.results import Result, checked
from steno_transcriber.domain.samples import Samples
from steno_transcriber.engines.base import (
    EngineAway,
    EngineError,
    Stream,
    StreamEngine,
    StreamRules,
)

log = logging.getLogger(__name__)


@contextmanager
def _faults_of(engine: str) -> Iterator[None]:
    try:
        yield
    except EngineError:
        raise
    except OSError as error:
        raise EngineAway(str(error) or type(error).__name__) from error
    except Exception as error:
        log.exception("a fault of the engine", extra=about(engine=engine))
        raise EngineError(f"{type(error).__name__}: {error}") from error


@dataclass(frozen=True, slots=True)
class GuardedStream:
    """One stream of it; its results have times that are numbers, confidences from 0 to 1."""

    stream: Stream
    engine: str

    async def send(self, audio: Samples) -> None:
        """Send the next samples."""
        with _faults_of(self.engine):
            await self.stream.send(audio)

    async def finish(self) -> None:
        """Say that no more comes."""
        with _faults_of(self.engine):
            await self.stream.finish()

    async def results(self) -> AsyncIterator[Result]:
        """Give results as they come."""
        with _faults_of(self.engine):
            async for result in self.stream.results():
                yield checked(result)

    async def aclose(self) -> None:
        """Let go of the stream at once."""
        with _faults_of(self.engine):
            await self.stream.aclose()


@dataclass(frozen=True, slots=True)
class GuardedEngine:
    """The engine behind it, in all else."""

    engine: StreamEngine

    @property
    def name(self) -> str:
        """Name in the settings."""
        return self.engine.name

    @property
    def rules(self) -> StreamRules:
        """Its limits."""
        return self.engine.rules

    async def open(self, options: Options) -> GuardedStream:
        """Open a stream."""
        with _faults_of(self.name):
            return GuardedStream(await self.engine.open(options), self.name)

    async def aclose(self) -> None:
        """End what the engine has started."""
        await self.engine.aclose()
