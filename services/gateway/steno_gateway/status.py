"""How this server stands: looked at when somebody asks, once for all who ask."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from steno_common.errors import StoreError
from steno_common.lifecycle import Lifecycle
from steno_common.store.workers import WorkerStore
from steno_gateway.admission import Admission
from steno_gateway.domain.server_state import ServerState, Trouble

LOOK_SECONDS: Final = 0.5


@dataclass(slots=True)
class StatusBoard:
    """The newest state; all is well as long as there is nothing to look at."""

    life: Lifecycle | None = None
    admission: Admission | None = None
    workers: WorkerStore | None = None
    _state: ServerState = field(default_factory=ServerState)
    _at: float | None = None
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def now(self) -> ServerState:
        """Give the state, not older than LOOK_SECONDS."""
        async with self._looking:
            clock = asyncio.get_running_loop().time
            if self._at is None or clock() >= self._at + LOOK_SECONDS:
                self._state = await self._look()
                self._at = clock()
            return self._state

    async def changes(self) -> AsyncIterator[ServerState]:
        """Give the state at once, then whenever it is another one; for ever."""
        told: ServerState | None = None
        while True:
            if (state := await self.now()) != told:
                told = state
                yield state
            await asyncio.sleep(LOOK_SECONDS)

    async def troubles(self) -> AsyncIterator[Trouble]:
        """Give each trouble when it begins, whatever else changes meanwhile; for ever."""
        known: tuple[Trouble, ...] = ()
        async for state in self.changes():
            for trouble in state.troubles:
                if trouble not in known:
                    yield trouble
            known = state.troubles

    async def _look(self) -> ServerState:
        if self.life is None or self.admission is None or self.workers is None:
            return ServerState()
        ready = await self.life.ready()
        try:
            reports = (await self.workers.present()).values()
            transcribers: int | None = sum(not report.away for report in reports)
        except StoreError:
            transcribers = None
        draining = self.life.draining.is_set()
        return ServerState(self.admission.sessions, ready, transcribers, draining)
