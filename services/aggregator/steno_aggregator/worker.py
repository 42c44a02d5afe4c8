"""The aggregator at work: any number of them share all sessions, without a leader."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from steno_aggregator import metrics
from steno_aggregator.abandoned import bury
from steno_aggregator.closing import close_windows
from steno_aggregator.completing import complete
from steno_common.archive import Archive
from steno_common.logs import about
from steno_common.store.link import patiently
from steno_common.store.windows import Due, WindowStore

log = logging.getLogger(__name__)

T = TypeVar("T")

LANES: Final = 8
"""Sessions looked at together."""
SAVERS: Final = 4
"""Transcripts saved together."""
SAVES_WAITING: Final = 512
"""Fewer than are named as due at a time, so that what waits hides no other session."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the aggregator looks."""

    due_seconds: float = 0.05
    abandoned_seconds: float = 1.0
    first_retry_ms: int = 2_000
    longest_retry_ms: int = 60_000


class Aggregator:
    """Looks at sessions that are due, saves those that have ended, ends those abandoned.

    One for each Redis, with the shards that live there: what waits for one that is away holds up
    nothing of the others.
    It keeps nothing: cut off at any point, the next look by any aggregator goes on from Redis.
    """

    def __init__(
        self,
        store: WindowStore,
        archive: Archive,
        pace: Pace | None = None,
        shards: Sequence[int] | None = None,
    ) -> None:
        self._store = store
        self._shards = shards
        self._archive = archive
        self._pace = pace or Pace()
        self._ended: asyncio.Queue[str] = asyncio.Queue(SAVES_WAITING)
        self._saving: set[str] = set()
        """What is in the queue or in a saver's hands."""

    async def run(self, draining: asyncio.Event) -> None:
        """Work until `draining`, then save what is already waiting for it."""
        async with asyncio.TaskGroup() as tasks:
            watchers = [
                tasks.create_task(self._watch_due(), name="due"),
                tasks.create_task(self._watch_abandoned(), name="abandoned"),
            ]
            savers = [
                tasks.create_task(self._save_ended(), name=f"saver {number}")
                for number in range(SAVERS)
            ]
            await draining.wait()
            for task in watchers:
                task.cancel()
            await asyncio.wait(watchers)
            await self._ended.join()
            for task in savers:
                task.cancel()

    async def _watch_due(self) -> None:
        while True:
            found = await patiently(lambda: self._store.due(self._shards))
            # Aggregators that look at the same time begin with different sessions.
            random.shuffle(found)
            due = iter(found)
            async with asyncio.TaskGroup() as lanes:
                for number in range(min(LANES, len(found))):
                    lanes.create_task(self._lane(due), name=f"lane {number}")
            await asyncio.sleep(self._pace.due_seconds)

    async def _lane(self, due: Iterator[Due]) -> None:
        began = asyncio.get_running_loop().time()
        for session in due:
            if session.session_id not in self._saving:
                await self._look(session, began)

    async def _look(self, due: Due, seen: float) -> None:
        session_id = due.session_id
        looked = await self._try(
            "look", session_id, lambda: patiently(lambda: close_windows(self._store, session_id))
        )
        if looked is None:
            await self._defer(session_id)
            return
        if looked.closed:
            waited = asyncio.get_running_loop().time() - seen
            metrics.UTTERANCES.inc(looked.closed)
            metrics.LATENESS.observe(due.late_ms / 1000 + waited)
        if looked.ended:
            # Before the save, so that a save which fails, hangs or brings the process down is
            # tried again later and rarer, and meanwhile hides no other session.
            await self._defer(session_id)
            if not self._ended.full():
                self._saving.add(session_id)
                self._ended.put_nowait(session_id)

    async def _try(
        self, step: str, session_id: str, attempt: Callable[[], Awaitable[T]]
    ) -> T | None:
        """Make an attempt at one session; None if it failed, which must not stop the others."""
        try:
            return await attempt()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            log.warning("%s failed", step, extra=about(session_id, reason=reason))
        except Exception:
            log.exception("%s failed", step, extra=about(session_id))
        metrics.FAILURES.labels(step).inc()
        return None

    async def _defer(self, session_id: str) -> None:
        first, longest = self._pace.first_retry_ms, self._pace.longest_retry_ms
        await patiently(lambda: self._store.defer(session_id, first, longest))

    async def _save_ended(self) -> None:
        while True:
            session_id = await self._ended.get()
            try:
                await self._save(session_id)
            finally:
                self._saving.discard(session_id)
                self._ended.task_done()

    async def _save(self, session_id: str) -> None:
        with metrics.SAVING.time():
            completed = await self._try(
                "save", session_id, lambda: complete(self._store, self._archive, session_id)
            )
        if completed:
            metrics.SESSIONS.labels("completed").inc()

    async def _watch_abandoned(self) -> None:
        while True:
            for due in await patiently(lambda: self._store.abandoned(self._shards)):
                await self._bury(due.session_id)
            await asyncio.sleep(self._pace.abandoned_seconds)

    async def _bury(self, session_id: str) -> None:
        fate = await self._try(
            "bury", session_id, lambda: patiently(lambda: bury(self._store, session_id))
        )
        if fate is None:
            await patiently(lambda: self._store.postpone(session_id))
        elif fate != "waiting":
            log.info("without a client", extra=about(session_id, status=fate))
            metrics.SESSIONS.labels(fate).inc()
