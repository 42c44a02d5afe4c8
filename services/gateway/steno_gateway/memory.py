"""Memory watched: Redis's and this machine's, with what follows for sessions."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from steno_common.errors import StoreError, StoreUnavailableError
from steno_common.logs import about
from steno_gateway import metrics
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.pressure import Memory, Pressure
from steno_gateway.inflow import Inflow
from steno_gateway.settings import GatewaySettings

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
RETRY_MS: Final = 5_000


@dataclass(slots=True)
class MemoryWatch:
    """What a gateway may do at present; everything, as long as nobody looks."""

    pressure: Pressure = field(default_factory=Pressure)
    inflow: Inflow = field(default_factory=Inflow)
    low: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while clients are to be warned."""
    exhausted: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while sessions are to end with what they have."""
    _unknown: set[str] = field(default_factory=set)
    """Whose memory cannot be known, which has been said."""

    def admit(self) -> None:
        """Let a session begin; raises ClientError `overloaded`."""
        if self.pressure.refusing:
            raise ClientError("overloaded", "there is no memory for another session",
                              retry_after_ms=RETRY_MS)  # fmt: skip

    async def run(
        self,
        store: Callable[[], Awaitable[Sequence[float]]],
        machine: Callable[[], Memory | None],
    ) -> None:
        """Look about once a second, until cancelled.

        `store` gives how full each Redis is that has a bound, `machine` what is left here.
        """
        while True:
            await self._look_at_store(store)
            self._look_at_machine(machine())
            self._act()
            await asyncio.sleep(LOOK_SECONDS)

    async def _look_at_store(self, store: Callable[[], Awaitable[Sequence[float]]]) -> None:
        try:
            ratios = await store()
        except StoreUnavailableError:
            return  # it is as it was, as far as anybody knows
        except StoreError as error:
            self._say_unknown("Redis", str(error))
            return
        if not ratios:
            self._say_unknown("Redis", "it has no maxmemory")
        self.pressure.store(ratios)

    def _look_at_machine(self, memory: Memory | None) -> None:
        if memory is None:
            self._say_unknown("this machine", "its kernel does not tell")
            return
        metrics.AVAILABLE.set(memory.available)
        self.pressure.machine(memory)

    def _say_unknown(self, whose: str, reason: str) -> None:
        if whose not in self._unknown:
            self._unknown.add(whose)
            log.warning("the memory of %s is not watched", whose, extra=about(reason=reason))

    def _act(self) -> None:
        pressure = self.pressure
        metrics.PRESSURE.labels("refusing").set(pressure.refusing)
        metrics.PRESSURE.labels("holding").set(pressure.holding)
        metrics.PRESSURE.labels("low").set(pressure.low)
        metrics.PRESSURE.labels("exhausted").set(pressure.exhausted)
        metrics.QUEUED.set(self.inflow.waiting_bytes)
        if pressure.holding is self.inflow.storing.is_set():
            log.warning("Redis is %s", "full: no audio is stored" if pressure.holding
                        else "no longer full: audio is stored")  # fmt: skip
        if pressure.low is not self.low.is_set():
            log.warning("memory is %s", "low" if pressure.low else "no longer low")
        if pressure.exhausted and not self.exhausted.is_set():
            log.warning("memory is exhausted: sessions end with what they have")
        _turn(self.inflow.storing, on=not pressure.holding)
        _turn(self.low, on=pressure.low)
        _turn(self.exhausted, on=pressure.exhausted)


def _turn(event: asyncio.Event, *, on: bool) -> None:
    if on:
        event.set()
    else:
        event.clear()


def watch_of(settings: GatewaySettings) -> MemoryWatch:
    """Make the watch that the settings ask for."""
    pressure = Pressure(settings.redis_refuse_ratio, settings.redis_hold_ratio,
                        settings.low_memory_bytes)  # fmt: skip
    return MemoryWatch(pressure, Inflow(settings.max_queued_bytes_total))
