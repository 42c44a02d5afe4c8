"""A transcriber's work: keep the sessions it claims, read their audio, give them back."""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from steno_common import tracing
from steno_common.errors import StoreError, StoreUnavailableError
from steno_common.logs import about
from steno_common.measured import GpuUse
from steno_common.process import ProcessMeter, Usage
from steno_common.store.work import Claim, WorkStore
from steno_common.store.workers import WorkerStore
from steno_common.units import SAMPLE_BYTES, to_seconds
from steno_common.waiting import OLDEST, WAITING
from steno_transcriber import metrics
from steno_transcriber.balancing import Balancing
from steno_transcriber.claiming import Claiming
from steno_transcriber.clock import RedisClock
from steno_transcriber.domain.balance import Balance, lag_of
from steno_transcriber.domain.capacity import FRESH_SECONDS, Load
from steno_transcriber.domain.homing import Homing
from steno_transcriber.domain.stay import Stay
from steno_transcriber.gpu import no_gpu
from steno_transcriber.load import LoadMeter
from steno_transcriber.recognition import Recognition
from steno_transcriber.session import ElsewhereError, LostError, PassedOnError, Session

log = logging.getLogger(__name__)

READ_SECONDS: Final = 0.005
READ_ENTRIES: Final = 100


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    session: Session
    task: asyncio.Task[None]
    since: float


@dataclass(slots=True)
class Worker:
    """All sessions of one process, each in its own task."""

    store: WorkStore
    recognition: Recognition
    meter: LoadMeter
    max_sessions: int
    engine: str = ""
    """What policies call its engine; empty: as it calls itself."""
    stay_seconds: float = 30.0
    """Shortest time of a session with an engine that is not its first choice; so long it keeps
    away from one that failed for it."""
    usage: Callable[[], Usage] = field(default_factory=lambda: ProcessMeter().look)
    """What this process takes of its machine."""
    gpu: Callable[[], GpuUse | None] = no_gpu
    _name: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Among the workers."""
    _held: dict[str, _Held] = field(default_factory=dict)
    """By session, the newest last."""
    _owning: asyncio.Event = field(default_factory=asyncio.Event)
    _clock: RedisClock = field(default_factory=RedisClock)
    _group: asyncio.TaskGroup = field(default_factory=asyncio.TaskGroup)
    _balancing: Balancing = field(init=False)

    def __post_init__(self) -> None:
        self.engine = self.engine or self.recognition.engine_name
        balance = Balance(self._name, self.max_sessions)
        self._balancing = Balancing(
            WorkerStore(self.store.link, self.store.limits), balance,
            Homing(balance.worker, self.stay_seconds), self.engine, self._clock, self.load,
            lambda: {session_id: held.session.stay for session_id, held in self._held.items()},
            self._give_up, self._send_home, self.usage, self.gpu, self.recognition.watch,
        )  # fmt: skip

    async def run(self, draining: asyncio.Event) -> None:
        """Work until the process drains, then give all sessions back at once."""
        balancing = self._balancing
        claiming = Claiming(self.store, balancing.balance, self.engine, self.load, self._begin,
                            self.recognition.watch, lambda: balancing.there)  # fmt: skip
        async with self._group as group:
            taking = [
                group.create_task(claiming.run(), name="worker claim"),
                group.create_task(balancing.run(), name="worker balance"),
            ]
            keeping = [
                group.create_task(claiming.listen(), name="worker doorbell"),
                group.create_task(self._renew(), name="worker renew"),
                group.create_task(self._read(), name="worker read"),
            ]
            await draining.wait()
            for task in taking:
                task.cancel()
            await asyncio.wait(taking)
            await self._stop(list(self._held.values()))
            for task in keeping:
                task.cancel()
            await balancing.leave()

    def load(self) -> Load:
        """Measure what the sessions need of the engine."""
        now = time.monotonic()
        held = self._held.values()
        fresh = sum(now - each.since < FRESH_SECONDS for each in held)
        late = [each.session.late_seconds for each in held]
        waiting = sum(each.session.waiting for each in held)
        WAITING.labels("held").set(to_seconds(waiting))
        OLDEST.labels("held").set(max(late, default=0.0))
        metrics.EMOTION_SESSIONS.set(sum(each.session.emotion_known for each in held))
        return self.meter.look(settled=len(held) - fresh, fresh=fresh, lag=lag_of(late))

    async def _begin(self, claim: Claim) -> None:
        session_id = claim.session_id
        if (held := self._held.get(session_id)) is not None:
            # The lease ran out unnoticed and came back to us. Another owner may have committed
            # meanwhile, and so trimmed markers that were never read here; or Redis has lost the
            # session, and its client has restored it.
            held.task.cancel()
            self._forget(held.session)
        checkpoint = await self.store.checkpoint(session_id)
        if checkpoint is None:
            await self._release(claim)
            return
        stay = Stay(self.engine, checkpoint.choices, checkpoint.engine, time.monotonic())
        if not self.recognition.watch.admits() and self._goes_on_elsewhere(stay):
            await self._pass_on(claim)
            return
        session = Session(self.store, claim, checkpoint, self.recognition, self._clock, stay,
                          self._goes_on_elsewhere, self._name)  # fmt: skip
        with tracing.within(checkpoint.session.trace):  # the task goes on in it
            task = self._group.create_task(self._serve(session), name=f"session {session_id}")
            log.info("session claimed", extra=about(session_id, attempt=claim.tries))
        self._held[session_id] = _Held(session, task, time.monotonic())
        metrics.CLAIMS.inc()
        if stay.reason is not None:
            metrics.HANDOVERS.labels(stay.reason).inc()
        metrics.SESSIONS.set(len(self._held))
        self._owning.set()

    async def _serve(self, session: Session) -> None:
        session_id, rest_seconds = session.claim.session_id, 0.0
        try:
            await session.run()
        except LostError:
            log.info("session lost", extra=about(session_id))
        except ElsewhereError:
            log.info("session goes back", extra=about(session_id))
            rest_seconds = self.store.limits.engine_grace_seconds
        except PassedOnError:
            self._forget(session)
            await self._pass_on(session.claim)
            return
        except StoreError as error:
            log.warning("session dropped", extra=about(session_id, error=str(error)))
        except Exception:
            # One session's fault stays with it: its lease runs out, and it is tried again.
            log.exception("session failed", extra=about(session_id))
            metrics.FAILED.inc()
            self._forget(session)
            return
        self._forget(session)
        await self._release(session.claim, rest_seconds)

    def _goes_on_elsewhere(self, stay: Stay) -> bool:
        """Say whether workers of another engine are there that may go on with a session."""
        return bool(stay.others(self._clock.now_ms(), self._balancing.there))

    def _forget(self, session: Session) -> None:
        session_id = session.claim.session_id
        # It may have been claimed anew meanwhile.
        if session_id in self._held and self._held[session_id].session is session:
            del self._held[session_id]
        metrics.SESSIONS.set(len(self._held))

    async def _pass_on(self, claim: Claim) -> None:
        """Let other engines have their turn with a session: this one failed."""
        log.warning("session passed on", extra=about(claim.session_id))
        metrics.PASSED_ON.inc()
        await self._release(claim, self.stay_seconds)

    async def _release(self, claim: Claim, rest_seconds: float = 0.0) -> None:
        resting = self.engine if rest_seconds else ""
        try:
            await self.store.release(claim, resting, rest_seconds)
        except StoreError as error:
            # The lease runs out by itself.
            log.warning("cannot release", extra=about(claim.session_id, error=str(error)))

    async def _give_up(self, session_ids: Collection[str]) -> None:
        """Give sessions back at once."""
        await self._stop([held for sid, held in self._held.items() if sid in session_ids])

    def _send_home(self, session_ids: Collection[str]) -> None:
        """Give sessions back at their next borders."""
        for session_id in session_ids:
            if session_id in self._held:
                self._held[session_id].session.leaving = True

    async def _stop(self, ending: Sequence[_Held]) -> None:
        """Give sessions back at once: what is not committed is decoded anew by who takes them."""
        if not ending:
            return
        for held in ending:
            held.task.cancel()
        await asyncio.wait([held.task for held in ending])
        # All at once: those whose Redis is away keep no other waiting.
        async with asyncio.TaskGroup() as releasing:
            for held in ending:
                self._forget(held.session)
                releasing.create_task(self._release(held.session.claim), name="release")

    async def _renew(self) -> None:
        pause = self.store.limits.lease_seconds / 3
        while True:
            await asyncio.sleep(pause)
            claims = [held.session.claim for held in self._held.values()]
            if not claims:
                continue
            try:
                lost = await self.store.renew(claims)
            except StoreUnavailableError as error:
                log.warning("cannot renew", extra=about(error=str(error)))
                continue
            for session_id in lost:
                held = self._held.get(session_id)
                if held is not None and held.session.claim in claims:
                    log.info("lease lost", extra=about(session_id))
                    held.task.cancel()
                    self._forget(held.session)

    async def _read(self) -> None:
        while True:
            await self._owning.wait()
            if not self._held:
                self._owning.clear()
                continue
            inboxes = {sid: held.session.inbox for sid, held in self._held.items()}
            hungry = {sid: inbox for sid, inbox in inboxes.items() if inbox.hungry}
            try:
                found = await self.store.read(
                    {sid: inbox.read_id for sid, inbox in hungry.items()}, READ_ENTRIES
                )
            except StoreUnavailableError:
                found = {}
            for session_id, entries in found.items():
                hungry[session_id].put(entries)
                self.meter.hear(sum(len(entry.pcm) for entry in entries) // SAMPLE_BYTES)
            await asyncio.sleep(READ_SECONDS)
