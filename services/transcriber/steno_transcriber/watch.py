"""What a process knows of its engine: whether it is there, from how every try of it went."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from steno_common.logs import about
from steno_transcriber.domain.breaker import Breaker
from steno_transcriber.engines.base import EngineError

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Watch:
    """Feeds the breaker of an engine, which all sessions of a process share."""

    engine: str = ""
    clock: Callable[[], float] = lambda: asyncio.get_running_loop().time()
    _breaker: Breaker = field(default_factory=Breaker)

    @property
    def away(self) -> bool:
        """Whether the engine has failed for one session after the other."""
        return self._breaker.is_open

    def room(self, room: int) -> int:
        """Say how many sessions should come, where there is room for so many."""
        return self._breaker.room(self.clock(), room)

    def admits(self) -> bool:
        """Say whether a session that has come may try the engine, though others could serve it."""
        return self._breaker.admits(self.clock())

    @contextmanager
    def tried(self) -> Iterator[Callable[[], None]]:
        """Watch a try, which succeeds with its end or when it calls what this gives.

        It has failed if an EngineError ends it before, unless that is about what was asked alone.
        """
        worked = False

        def works() -> None:
            nonlocal worked
            if not worked:
                worked = True
                self._worked()

        try:
            yield works
        except EngineError as error:
            if not worked and error.about_engine:
                self._failed(error)
            raise
        works()

    def _worked(self) -> None:
        if self.away:
            log.info("engine %s is back", self.engine, extra=about(engine=self.engine))
        self._breaker.worked()

    def _failed(self, error: EngineError) -> None:
        was_away = self.away
        self._breaker.failed(self.clock())
        if self.away and not was_away:
            extra = about(engine=self.engine, code=error.code, error=str(error))
            log.warning("engine %s is away", self.engine, extra=extra)
