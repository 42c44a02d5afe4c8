"""A transcriber's work: claim sessions, keep them, read their audio, give them back."""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Final

from redis.exceptions import RedisError

from steno_common.errors import StoreError, StoreUnavailableError
from steno_common.keys import WAKE_CHANNEL
from steno_common.logs import about
from steno_common.store.work import Claim, WorkStore
from steno_transcriber import metrics
from steno_transcriber.recognition import Recognition
from steno_transcriber.session import LostError, Session

log = logging.getLogger(__name__)

CLAIM_SECONDS: Final = 0.2
"""How often leases that ran out are looked for; new sessions ring."""

READ_SECONDS: Final = 0.04
READ_ENTRIES: Final = 200


@dataclass(slots=True)
class Worker:
    """All sessions of one process, each in its own task."""

    store: WorkStore
    recognition: Recognition
    max_sessions: int
    _sessions: dict[str, Session] = field(default_factory=dict)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _owning: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, draining: asyncio.Event) -> None:
        """Work until the process drains, then give all sessions back at once."""
        async with asyncio.TaskGroup() as group:
            claiming = group.create_task(self._claim(group), name="worker claim")
            keeping = [
                group.create_task(self._renew(), name="worker renew"),
                group.create_task(self._read(), name="worker read"),
                group.create_task(self._listen(), name="worker doorbell"),
            ]
            await draining.wait()
            claiming.cancel()
            held = [session.claim for session in self._sessions.values()]
            for task in self._tasks.values():
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks.values())
            for task in keeping:
                task.cancel()
            for claim in held:
                await self._release(claim)

    async def _listen(self) -> None:
        while True:
            try:
                async with self.store.link.pubsub() as pubsub:
                    await pubsub.subscribe(WAKE_CHANNEL)
                    while True:
                        if await pubsub.get_message(timeout=1.0) is not None:
                            self._wake.set()
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("doorbells are silent", extra=about(error=type(error).__name__))
                await asyncio.sleep(CLAIM_SECONDS)

    async def _claim(self, group: asyncio.TaskGroup) -> None:
        while True:
            try:
                for shard in await self.store.waiting():
                    room = self.max_sessions - len(self._sessions)
                    if room <= 0:
                        break
                    for claim in await self.store.claim(shard, room):
                        await self._begin(group, claim)
            except StoreUnavailableError as error:
                log.warning("cannot claim", extra=about(error=str(error)))
            try:
                async with asyncio.timeout(CLAIM_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                continue
            self._wake.clear()

    async def _begin(self, group: asyncio.TaskGroup, claim: Claim) -> None:
        session_id = claim.session_id
        if session_id in self._sessions:
            # The lease ran out unnoticed and came back to us: what is known here still holds.
            self._sessions[session_id].claim = claim
            return
        checkpoint = await self.store.checkpoint(session_id)
        if checkpoint is None:
            await self._release(claim)
            return
        session = Session(self.store, claim, checkpoint, self.recognition)
        self._sessions[session_id] = session
        self._tasks[session_id] = group.create_task(
            self._serve(session), name=f"session {session_id}"
        )
        metrics.CLAIMS.inc()
        metrics.SESSIONS.set(len(self._sessions))
        self._owning.set()
        log.info("session claimed", extra=about(session_id, attempt=claim.tries))

    async def _serve(self, session: Session) -> None:
        session_id = session.claim.session_id
        try:
            await session.run()
        except LostError:
            log.info("session lost", extra=about(session_id))
        except StoreError as error:
            log.warning("session dropped", extra=about(session_id, error=str(error)))
        except Exception:
            # One session's fault stays with it: its lease runs out, and it is tried again.
            log.exception("session failed", extra=about(session_id))
            self._forget(session)
            return
        self._forget(session)
        await self._release(session.claim)

    def _forget(self, session: Session) -> None:
        self._sessions.pop(session.claim.session_id, None)
        self._tasks.pop(session.claim.session_id, None)
        metrics.SESSIONS.set(len(self._sessions))

    async def _release(self, claim: Claim) -> None:
        try:
            await self.store.release(claim)
        except StoreError as error:
            # The lease runs out by itself.
            log.warning("cannot release", extra=about(claim.session_id, error=str(error)))

    async def _renew(self) -> None:
        pause = self.store.limits.lease_seconds / 3
        while True:
            await asyncio.sleep(pause)
            claims = [session.claim for session in self._sessions.values()]
            if not claims:
                continue
            try:
                lost = await self.store.renew(claims)
            except StoreUnavailableError as error:
                log.warning("cannot renew", extra=about(error=str(error)))
                continue
            for session_id in lost:
                session = self._sessions.get(session_id)
                if session is not None and session.claim in claims:
                    log.info("lease lost", extra=about(session_id))
                    self._tasks[session_id].cancel()
                    self._forget(session)

    async def _read(self) -> None:
        while True:
            await self._owning.wait()
            if not self._sessions:
                self._owning.clear()
                continue
            hungry = {sid: s for sid, s in self._sessions.items() if s.hungry}
            try:
                found = await self.store.read(
                    {sid: session.read_id for sid, session in hungry.items()}, READ_ENTRIES
                )
            except StoreUnavailableError:
                found = {}
            for session_id, entries in found.items():
                hungry[session_id].put(entries)
            await asyncio.sleep(READ_SECONDS)
