"""One client's socket on one session."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import WSMsgType

from steno_audio import AudioFormat, decoder_for
from steno_common import logs
from steno_common.errors import StoreError
from steno_common.messages import Completed, Partial
from steno_common.store.sessions import Attached, Outcome
from steno_common.units import to_samples
from steno_gateway import metrics
from steno_gateway.domain import states
from steno_gateway.domain.client import AudioChunk, Control, Ping, parse_frame, parse_message
from steno_gateway.domain.dialogue import Dialogue
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.idle import IdleWatch
from steno_gateway.domain.intake import Bucket, Intake, credit
from steno_gateway.domain.items import Item
from steno_gateway.domain.server import event_message, partial_message
from steno_gateway.feed import Subscription
from steno_gateway.ingest import Ingest
from steno_gateway.services import Services
from steno_gateway.socket import Peer

log = logging.getLogger(__name__)

ACK_SECONDS: Final = 0.1
TICK_SECONDS: Final = 0.5
LEAVE_SECONDS: Final = 2.0


class _Over(Exception):  # noqa: N818
    """The connection has done its work."""


@dataclass(slots=True)
class Connection:
    """Receives, stores, acknowledges and delivers, each in its own task."""

    services: Services
    peer: Peer
    attached: Attached
    last_event: int
    dialogue: Dialogue = field(init=False)
    ingest: Ingest = field(init=False)
    subscription: Subscription = field(init=False)
    idle: IdleWatch = field(init=False)
    _container: bool = field(init=False)
    _told: tuple[int, int, int] | None = None
    """The last acknowledgement."""

    def __post_init__(self) -> None:
        attached, settings = self.attached, self.services.settings
        session = attached.session
        audio_format = AudioFormat.parse(
            session.mime_type, sample_rate=session.sample_rate, channels=session.channels
        )
        self._container = audio_format.is_container
        self.ingest = Ingest(
            store=self.services.store,
            session_id=session.session_id,
            conn=attached.conn,
            decoder=decoder_for(audio_format, attached.carry),
            stored=attached.next - 1,
            received=attached.received,
            duration_limit=to_samples(session.duration_limit),
            backlog=attached.backlog,
        )
        rate = settings.max_chunks_per_second
        first = 1 if self._container else attached.next
        # A container comes again from its first chunk: that is no burst to be refused.
        bucket = Bucket(rate, 4 * rate + attached.next)
        intake = Intake(first, self._limit(), settings.max_queued_bytes, bucket)
        self.dialogue = Dialogue(attached.status, intake, session.mime_type)
        after = states.resume_point(self.last_event, attached.event, attached.status)
        self.subscription = Subscription(
            session.session_id, after, self.services.store, attached.conn
        )
        self.idle = IdleWatch(round(self.services.limits.silence_seconds / TICK_SECONDS))
        if attached.received:
            self.idle.audio()

    @property
    def session_id(self) -> str:
        """Id of the session."""
        return self.attached.session.session_id

    def _limit(self) -> int:
        ingest = self.ingest
        room = to_samples(self.services.limits.backlog_seconds)
        return ingest.stored + credit(room, ingest.backlog, ingest.received, ingest.stored)

    def greeting(self) -> dict[str, Any]:
        """Give the `server:session_created` of this connection."""
        return {
            "type": "server:session_created",
            "session_id": self.session_id,
            "status": self.dialogue.state,
            "epoch": self.attached.epoch,
            "sequence_number": self.ingest.stored,
            "done": self.attached.done,
            "credit": self._limit() - self.ingest.stored,
            "last_event": self.attached.event,
            "resend_from": self.dialogue.intake.expected,
            "container": self._container,
        }

    async def run(self) -> None:
        """Serve the socket until the session is complete or the connection ends."""
        feed = self.services.feed
        try:
            await self.peer.send(self.greeting())
            feed.subscribe(self.subscription)
            async with asyncio.TaskGroup() as tasks:
                for name, work in (
                    ("receive", self._receive()), ("ingest", self._ingest()),
                    ("acknowledge", self._acknowledge()), ("deliver", self._deliver()),
                    ("watch", self._watch()), ("idle", self._tick()),
                    ("dismissed", self._dismissed()),
                ):  # fmt: skip
                    tasks.create_task(work, name=f"{name} {logs.session_tag(self.session_id)}")
        except* _Over:
            pass
        finally:
            feed.unsubscribe(self.subscription)
            await self._detach()

    async def _detach(self) -> None:
        with contextlib.suppress(StoreError):
            await self.services.store.transition(
                self.session_id, self.attached.conn, "reconnecting", states.INTERRUPTIBLE
            )

    async def _receive(self) -> None:
        idle = self.services.settings.socket_idle_seconds
        while True:
            # The limit stands around the call: the one within it begins anew with each pong.
            limit = None if self.dialogue.over else idle
            try:
                async with asyncio.timeout(limit):
                    message = await self.peer.ws.receive()
            except TimeoutError as error:
                raise ClientError("idle_timeout", f"no message for {idle:.0f} s") from error
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                await self._leave()
                raise _Over
            try:
                await self._handle(message.data)
            except ClientError as error:
                if error.fault.close is not None:
                    raise
                await self.peer.refuse(error)
                if error.code == "backlog_full":
                    self._told = None  # the client waits for an ack, even one that says no more
                if error.code == "too_many_chunks":
                    self._put(self.dialogue.act("stop"))

    async def _leave(self) -> None:
        """Store what a client sent before it closed, as long as that takes no time to speak of."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS):
                while not self.ingest.idle:
                    self.ingest.progress.clear()
                    await self.ingest.progress.wait()

    async def _handle(self, data: str | bytes) -> None:
        message = parse_message(data) if isinstance(data, str) else parse_frame(data)
        match message:
            case AudioChunk():
                self._audio(message)
            case Control():
                self._act(message.action)
            case Ping():
                await self.peer.send({"type": "server:pong", "timestamp": message.timestamp})

    def _audio(self, chunk: AudioChunk) -> None:
        self._settle()
        if self._put(self.dialogue.audio(chunk, time.monotonic())):
            self.idle.audio()
        else:
            self._told = None  # a duplicate is acknowledged again
            self.ingest.progress.set()

    def _put(self, items: Iterable[Item]) -> bool:
        put = False
        for item in items:
            self.ingest.put(item)
            put = True
        return put

    def _settle(self) -> None:
        intake = self.dialogue.intake
        settled, self.ingest.settled = self.ingest.settled, []
        for size in settled:
            intake.stored(size)
        intake.limit = self._limit()

    def _act(self, action: states.Action) -> None:
        if self.ingest.crowded:
            raise ClientError("rate_limited", "too many actions wait", retry_after_ms=1_000)
        self._put(self.dialogue.act(action))

    async def _ingest(self) -> None:
        if self.dialogue.over:
            return
        try:
            await self.ingest.run()
        except ClientError as error:
            undecodable = error.code == "undecodable_audio"
            self.dialogue.state = "error" if undecodable else "finalizing"
            if error.fault.close is not None:
                raise
            await self.peer.refuse(error)

    async def _acknowledge(self) -> None:
        while True:
            await self.ingest.progress.wait()
            self.ingest.progress.clear()
            self._settle()
            stored = self.ingest.stored
            polled = self.subscription.state
            done = polled.done if polled is not None else self.attached.done
            now = (stored, done, max(self.dialogue.intake.limit - stored, 0))
            if now != self._told:
                self._told = now
                await self.peer.send({"type": "server:ack", "sequence_number": now[0],
                                      "done": now[1], "credit": now[2]})  # fmt: skip
            await asyncio.sleep(ACK_SECONDS)

    async def _deliver(self) -> None:
        async for item in self.subscription.items():
            if isinstance(item, Partial):
                await self.peer.send(partial_message(self.session_id, item))
                continue
            message = event_message(self.session_id, item.number, item.event)
            if message is not None:
                await self.peer.send(message)
            if isinstance(item.event, Completed):
                raise _Over

    async def _watch(self) -> None:
        """Follow the state that the feed brings."""
        changed = self.subscription.changed
        while True:
            await changed.wait()
            changed.clear()
            polled = self.subscription.state
            if polled is None:
                continue
            if polled.outcome is Outcome.SUPERSEDED:
                raise ClientError("connection_superseded", "a newer connection holds the session")
            if polled.outcome is Outcome.MISSING:
                raise ClientError("session_not_found", "the session was removed")
            self.ingest.backlog = polled.backlog
            self.ingest.room.set()
            self.ingest.progress.set()

    async def _dismissed(self) -> None:
        await self.peer.dismissed.wait()
        await self._leave()
        raise _Over

    async def _tick(self) -> None:
        """Tell the client's silence."""
        while not self.dialogue.over:
            await asyncio.sleep(TICK_SECONDS)
            can_send = self.ingest.idle and self.dialogue.intake.limit > self.ingest.stored
            if self.idle.tick(can_send=can_send):
                self._put(self.dialogue.silent())


async def serve_session(services: Services, peer: Peer, session_id: str, last_event: int) -> None:
    """Serve one socket whose handshake is done; raises what ends it, alone or in a group."""
    with (
        services.admission.session(),
        services.sockets.holding(peer),
        metrics.SESSIONS.track_inprogress(),
    ):
        attached = await services.store.attach(session_id)
        if attached is None:
            raise ClientError("session_not_found", "no such session")
        if attached.conn > services.settings.max_reconnections:
            raise ClientError("too_many_reconnections", "too many connections; upload instead")
        await Connection(services, peer, attached, last_event).run()
