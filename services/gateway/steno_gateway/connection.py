"""One client's line on one session."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from steno_audio import AudioFormat, decoder_for
from steno_common import logs, tracing
from steno_common.errors import StoreError
from steno_common.store.saves import SaveStore
from steno_common.store.sessions import Attached
from steno_common.units import to_samples, to_seconds
from steno_gateway import metrics
from steno_gateway.access import Pass
from steno_gateway.domain import ending, states
from steno_gateway.domain.choice import Choice
from steno_gateway.domain.dialogue import FARTHEST, Dialogue
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.idle import IdleWatch
from steno_gateway.domain.intake import Bucket, Intake
from steno_gateway.domain.latency import LatencyMeter
from steno_gateway.feed import Subscription
from steno_gateway.figuring import Figuring, tell_metrics
from steno_gateway.ingest import MAX_CHUNK_SECONDS, Ingest
from steno_gateway.line import Line
from steno_gateway.receiving import TICK_SECONDS, Receiver
from steno_gateway.restoring import Keeper
from steno_gateway.services import Services
from steno_gateway.telling import Teller


@dataclass(frozen=True, slots=True)
class Known:
    """What a client has of its session."""

    last_event: int
    """Number of the last event it wants no more."""
    checkpoint: int | None = None
    """Number of the last event that it keeps for a restore; None: it keeps none."""
    languages: tuple[str, ...] = ()
    """Of translations that it wants."""
    metrics_seconds: int | None = None
    """How often it wants to hear the metrics of its session; None: never."""


class _Over(Exception):  # noqa: N818
    """The connection has done its work."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Receives, stores, acknowledges and delivers, each in its own task."""

    services: Services
    line: Line
    attached: Attached
    dialogue: Dialogue
    ingest: Ingest
    teller: Teller
    receiver: Receiver
    way_back: Pass
    container: bool
    keeper: Keeper | None
    """None: the client keeps no checkpoints."""
    metrics_seconds: int | None

    def greeting(self) -> dict[str, Any]:
        """Give the `server:session_created` of this connection."""
        stored = self.ingest.stored
        return {
            "type": "server:session_created",
            "session_id": self.attached.session.session_id,
            "status": self.dialogue.state,
            "epoch": self.attached.epoch,
            "sequence_number": stored,
            "done": self.attached.done,
            "credit": self.dialogue.intake.limit - stored,
            "last_event": self.attached.event,
            "resend_from": self.dialogue.intake.expected,
            "container": self.container,
            "checkpoints": self.keeper is not None,
            **self.way_back.fields(),
        }

    async def run(self) -> None:
        """Serve the line until the session is over for its client or the connection ends."""
        feed, subscription = self.services.feed, self.teller.subscription
        tag = logs.session_tag(subscription.session_id)
        try:
            await self.line.send(self.greeting())
            feed.subscribe(subscription)
            async with asyncio.TaskGroup() as tasks:
                for name, work in (
                    ("store", self._store()),
                    ("acknowledge", self.teller.acknowledge()),
                    ("follow", self.teller.follow()),
                    ("silence", self.receiver.watch_silence()),
                    ("renew", self.way_back.renew(self.line)),
                    ("heed memory", self._heed_memory()),
                    ("receive", _until(self.receiver.run)),
                    ("deliver", _until(self.teller.deliver)),
                    ("dismissed", _until(self._dismissed)),
                ):
                    tasks.create_task(work, name=f"{name} {tag}")
                if self.keeper is not None:
                    tasks.create_task(self.keeper.run(), name=f"keep {tag}")
                if self.line.manners.told_of_state:
                    tasks.create_task(self._heed_state(), name=f"heed state {tag}")
                if (seconds := self.metrics_seconds) is not None:
                    telling = tell_metrics(
                        self.services, self.line, subscription.session_id, seconds
                    )
                    tasks.create_task(telling, name=f"tell metrics {tag}")
        except* _Over:
            pass
        finally:
            feed.unsubscribe(subscription)
            received = to_seconds(self.ingest.received)
            tracing.note(chunks=self.ingest.stored, audio_seconds=received)
            with contextlib.suppress(StoreError):
                if self.line.manners.ends_with_client:
                    await self.services.store.mark(subscription.session_id, self.attached.conn,
                                                   "end", behind=self.ingest.stored)  # fmt: skip
                await self.services.store.transition(
                    subscription.session_id, self.attached.conn, "reconnecting",
                    states.INTERRUPTIBLE, handed=subscription.handed,
                )  # fmt: skip

    async def _store(self) -> None:
        if self.dialogue.over:
            return
        try:
            await self.ingest.run()
        except ClientError as error:
            undecodable = error.code == "undecodable_audio"
            self.dialogue.state = "error" if undecodable else "finalizing"
            if error.fault.close is not None:
                raise
            await self.line.refuse(error)

    async def _heed_memory(self) -> None:
        """Warn of low memory once, and end with what there is before there is none."""
        memory = self.services.memory
        await memory.low.wait()
        await self.teller.warn("low_memory", "this server is short of memory; end soon")
        await memory.exhausted.wait()
        await self.receiver.cut_off()

    async def _heed_state(self) -> None:
        """Warn whenever this server no longer works as it should."""
        async for code, message in self.services.status.troubles():
            await self.teller.warn(code, message)

    async def _dismissed(self) -> None:
        await self.line.dismissed.wait()
        await self.receiver.leave()


async def _until(work: Callable[[], Awaitable[None]]) -> None:
    """End the connection when this work is done."""
    await work()
    raise _Over


def open_connection(
    services: Services, line: Line, attached: Attached, way_back: Pass, known: Known
) -> Connection:
    """Make what serves a line on a session that it has taken over."""
    session, settings = attached.session, services.settings
    latency = LatencyMeter(attached.received)
    audio_format = AudioFormat.parse(
        session.mime_type, sample_rate=session.sample_rate, channels=session.channels
    )
    ingest = Ingest(
        store=services.store,
        session_id=session.session_id,
        conn=attached.conn,
        decoder=decoder_for(audio_format, attached.carry, max_chunk_seconds=MAX_CHUNK_SECONDS),
        stored=attached.next - 1,
        received=attached.received,
        duration_limit=to_samples(session.duration_limit),
        backlog=attached.backlog,
        latency=latency,
        inflow=services.memory.inflow,
    )
    rate, manners = settings.max_chunks_per_second, line.manners
    first = 1 if audio_format.is_container else attached.next
    queued_bytes = manners.queued_bytes or settings.max_queued_bytes
    intake = Intake(first, 0, queued_bytes, manners.chunk_bucket(rate, attached.next))
    dialogue = Dialogue(attached.status, intake, session.mime_type)
    after = ending.resume_point(known.last_event, attached.event, attached.finished)
    figures = Figuring(services, line.complaints, latency).news
    subscription = Subscription(session.session_id, after, services.store, attached.conn,
                                Choice(known.languages), settings.translation_seconds,
                                figures)  # fmt: skip
    backlog_seconds = services.limits.backlog_seconds
    teller = Teller(line, intake, ingest, subscription, backlog_seconds, attached.done,
                    latency, old=attached.event, connections=attached.connections)  # fmt: skip
    teller.settle()
    idle = IdleWatch(round(services.limits.silence_seconds / TICK_SECONDS))
    if attached.received:
        idle.audio()
    chatter = Bucket(settings.max_messages_per_second, 4 * settings.max_messages_per_second)
    # What is under way behind a refused chunk is the credit's worth, and comes again.
    untaken = Bucket(rate, 4 * rate + FARTHEST)
    receiver = Receiver(line, dialogue, ingest, teller, idle, chatter,
                        settings.socket_idle_seconds, untaken)  # fmt: skip
    keeper = None
    if known.checkpoint is not None:
        saves = SaveStore(services.store.link, services.limits)
        seal = services.access.seal(way_back.caller)
        keeper = Keeper(line, saves, teller, seal, known.checkpoint)
    return Connection(services, line, attached, dialogue, ingest, teller, receiver, way_back,
                      audio_format.is_container, keeper, known.metrics_seconds)  # fmt: skip


async def serve_session(services: Services, line: Line, way_back: Pass, known: Known) -> None:
    """Serve one line on a session; raises what ends it, alone or in a group."""
    with services.admission.session(way_back.caller.key), metrics.SESSIONS.track_inprogress():
        attached = await services.store.attach(way_back.session_id)
        if attached is None:
            raise ClientError("session_not_found", "no such session")
        if attached.connections > services.settings.max_reconnections:
            raise ClientError("too_many_reconnections", "too many connections; upload instead")
        connection = open_connection(services, line, attached, way_back, known)
        fields: tracing.Fields = {"session": way_back.session_id, "number": attached.connections}
        with (
            tracing.within(attached.session.trace),
            tracing.span("session connection", **fields),
        ):
            await connection.run()
