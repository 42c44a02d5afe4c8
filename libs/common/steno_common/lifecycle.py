"""One shutdown path for all services.

Ready turns false, intake stops, work drains within a bound, what is left is cancelled, resources
close in reverse. A second signal exits at once.
"""

import asyncio
import logging
import os
import resource
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from steno_common import logs, telemetry, tracing
from steno_common.errors import SettingsError, StenoError
from steno_common.settings import load

log = logging.getLogger(__name__)

Check = Callable[[], Awaitable[bool]]
Alive = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """What every process of Steno is told."""

    log_style: Literal["json", "console"] = "json"
    """`console` is for people."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    drain_seconds: float = 20.0
    """Time to finish work after the first signal."""
    otlp_endpoint: str = ""
    """Base URL of the collector that takes traces over HTTP; empty: there are none."""
    trace_ratio: float = 0.05
    """Share of the sessions that are traced, where their clients do not say."""

    def __post_init__(self) -> None:
        faults = []
        if self.otlp_endpoint and not self.otlp_endpoint.startswith(("http://", "https://")):
            faults.append("STENO_OTLP_ENDPOINT: not http://… or https://…")
        if not 0 <= self.trace_ratio <= 1:
            faults.append("STENO_TRACE_RATIO: not between 0 and 1")
        if faults:
            raise SettingsError(faults)


@dataclass(slots=True)
class Lifecycle:
    """What a process knows about its own life."""

    draining: asyncio.Event = field(default_factory=asyncio.Event)
    checks: dict[str, Check] = field(default_factory=dict)
    """What must hold for the process to be ready, by name."""
    alive: dict[str, Alive] = field(default_factory=dict)
    """What only a new process can repair, by name: never what hangs on others, as Redis does."""

    def living(self) -> dict[str, bool]:
        """Give the result of each check without which the process should be replaced."""
        return {name: check() for name, check in self.alive.items()}

    async def ready(self) -> dict[str, bool]:
        """Give the result of each check; a draining process is not ready, nor is one that hangs."""
        results = {name: await check() for name, check in self.checks.items()}
        return {"accepting": not self.draining.is_set(), **self.living(), **results}


async def _live(serve: Callable[[Lifecycle], Coroutine[Any, Any, None]], seconds: float) -> None:
    life = Lifecycle()
    loop = asyncio.get_running_loop()

    def on_signal(number: int) -> None:
        if life.draining.is_set():
            os._exit(128 + number)
        log.info("draining")
        life.draining.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    service = asyncio.create_task(serve(life), name="service")
    drain = asyncio.create_task(life.draining.wait(), name="drain signal")
    lag = asyncio.create_task(telemetry.watch_loop(), name="loop lag")
    try:
        await asyncio.wait({service, drain}, return_when=asyncio.FIRST_COMPLETED)
        if not service.done():
            await asyncio.wait({service}, timeout=seconds)
        if not service.done():
            log.warning("drain took too long; cancelling what is left")
            service.cancel()
        try:
            await service
        except asyncio.CancelledError:
            if not life.draining.is_set():
                raise
    finally:
        drain.cancel()
        lag.cancel()


def _leaves(group: BaseExceptionGroup[Any]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def run(name: str, serve: Callable[[Lifecycle], Coroutine[Any, Any, None]]) -> int:
    """Run a service until it ends or a signal ends it; gives the exit status.

    `serve` returns by itself once it has drained after `draining` is set.
    """
    status = 0
    # A core dump would write audio and text to disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    try:
        settings = load(ProcessSettings)
        logs.setup(name, settings.log_style, settings.log_level)
        telemetry.introduce(name)
        with tracing.exporting(name, settings.otlp_endpoint, settings.trace_ratio):
            asyncio.run(_live(serve, settings.drain_seconds))
    except* SettingsError as group:
        faults = "\n".join(str(error) for error in _leaves(group))
        print(f"steno-{name}: the settings cannot be used\n{faults}", file=sys.stderr)  # noqa: T201
        status = 2
    except* (StenoError, OSError) as group:
        for error in _leaves(group):
            log.error("stopped: %s", error)
        status = 1
    except* Exception:
        log.exception("stopped by a fault")
        status = 70
    return status
