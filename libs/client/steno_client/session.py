"""A session that survives what happens between its user and the transcript."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from functools import partial

from steno_client.connection import MAX_MESSAGE_BYTES, Connection, Ending
from steno_client.domain.conversation import Conversation, Reaction
from steno_client.domain.events import Completed, Event, Status
from steno_client.domain.messages import Action
from steno_client.domain.outbox import cut
from steno_client.domain.policy import Policy
from steno_client.domain.verdict import (
    LOSSES,
    SUPERSEDED,
    TOKEN_FAILURES,
    whole_recording_helps,
)
from steno_client.errors import SessionError
from steno_client.mailbox import Mailbox
from steno_client.options import Setup
from steno_client.server import Opened, Server, session_path

log = logging.getLogger(__name__)


class Session:
    """The user's side of a session, made by `connect`; all calls may raise SessionError."""

    def __init__(
        self,
        server: Server,
        policy: Policy,
        setup: Setup,
        *,
        opened: Opened,
    ) -> None:
        self.id = opened.session_id
        self._server = server
        self._policy = policy
        self._setup = setup
        self._conversation = Conversation(
            policy, container=setup.audio.is_container, state=opened.checkpoint
        )
        self._conversation.token = opened.token
        self._mailbox = Mailbox()
        self._wake = asyncio.Event()  # for the writer: something to send
        self._changed = asyncio.Event()  # for callers: something moved
        self._completed: Completed | None = None
        self._failure: SessionError | None = None
        self._block = asyncio.Lock()

    @property
    def stored(self) -> int:
        """Chunks that the server has stored; the death of any of its processes loses none."""
        return self._conversation.outbox.stored

    @property
    def done(self) -> int:
        """Chunks that are transcribed; the client keeps only those behind them."""
        return self._conversation.outbox.done

    async def send(self, audio: bytes) -> None:
        """Append audio of any size; waits while too much of what went before is not done.

        When block mode is all that is left, the audio only joins the recording.
        """
        for piece in cut(audio, self._setup.chunk_bytes):
            await self._until(partial(self._has_room, len(piece)))
            self._raise_if_over()
            if self._setup.tape is not None:
                self._setup.tape.keep(piece)
            if self._failure is None:
                self._conversation.outbox.put(piece)
                self._wake.set()

    async def finalize(self) -> None:
        """Make what was said so far final now."""
        self._order("finalize")

    async def pause(self) -> None:
        """Interrupt the recording; no audio may be sent until `resume`."""
        self._order("pause")

    async def resume(self) -> None:
        """Go on with the recording."""
        self._order("resume")

    async def finish(self) -> Completed:
        """End the recording, wait until everything is transcribed, return the transcript."""
        if self._completed is None and self._failure is None:
            self._conversation.outbox.order("stop")
            self._wake.set()
            await self._until(lambda: self._completed is not None)
        return self._completed or await self._transcribe_recording()

    def events(self) -> AsyncIterator[Event]:
        """Events as they come, each once, up to and with Completed; for one reader at a time.

        What is not read is kept: the newest partial, and the last 10,000 others.
        """
        return self._mailbox.read()

    async def download(self, kind: str) -> str:
        """The transcript of the finished session as `txt`, `json`, `srt` or `vtt`."""
        completed = await self.finish()
        path = completed.downloads.get(kind) or f"/api/transcripts/{completed.session_id}.{kind}"
        return await self._server.text(path)

    async def run(self) -> None:
        """Hold a connection to the server until the session is over; `connect` does this."""
        try:
            await self._reconnect_until_over()
        except Exception as error:  # the edge of the session's task
            log.exception("the session's connection failed")
            self.fail(SessionError("internal", f"a fault of the client: {error!r}"))

    def fail(self, failure: SessionError) -> None:
        """End the session; whoever waits for it is told, unless block mode can save it."""
        if self._completed is not None or self._failure is not None:
            return
        self._failure = failure
        self._changed.set()
        if self._saved_by_block_mode(failure):
            self._mailbox.put(Status("block_mode"))
        else:
            self._mailbox.close(failure)

    def leave(self) -> None:
        """End whatever still waits for the session."""
        self.fail(SessionError("session_left", "the session's context was left"))
        self._mailbox.close(self._failure)

    async def _reconnect_until_over(self) -> None:
        while True:
            try:
                ending = await self._hold_connection()
            except SessionError as error:
                failure = None if error.retryable else error
                ending = Ending(error.message, failure, at_least=error.retry_after)
            if self._completed is not None:
                return
            ending = self._regained(await self._restored(await self._readmitted(ending)))
            delay = self._conversation.backoff.delay(told=ending.told, at_least=ending.at_least)
            if ending.failure is not None or delay is None:
                self.fail(ending.failure or _lost(ending.reason))
                return
            log.info("session %s: %s; next try in %.1f s", self.id, ending.reason, delay)
            self._mailbox.put(Status("reconnecting"))
            await asyncio.sleep(delay)

    async def _readmitted(self, ending: Ending) -> Ending:
        """If it was the token that is not good any more, get another, and try again."""
        if ending.failure is None or ending.failure.code not in TOKEN_FAILURES:
            return ending
        try:
            token = await self._server.renewed_token(self.id)
        except SessionError as error:
            return Ending(ending.reason, error)
        if token is None:
            return ending
        self._conversation.token = token
        return Ending(ending.reason, told=0.0)

    def _regained(self, ending: Ending) -> Ending:
        """If it was an own earlier try that took the session over, take it back."""
        if ending.failure is None or ending.failure.code != SUPERSEDED:
            return ending
        return Ending(ending.reason) if self._conversation.overtook_itself() else ending

    async def _restored(self, ending: Ending) -> Ending:
        """If the server has lost the session, bring it back, then go on as after any loss."""
        kept = self._conversation.kept
        if kept is None or ending.failure is None or ending.failure.code not in LOSSES:
            return ending
        try:
            token = await self._server.restore(self.id, kept)
        except SessionError as error:
            log.info("session %s cannot be restored: %s", self.id, error.message)
            return Ending(ending.reason, None if error.retryable else ending.failure)
        self._conversation.token = token or self._conversation.token
        return Ending(f"{ending.reason}: restored", told=0.0)

    async def _hold_connection(self) -> Ending:
        talk = self._conversation
        talk.tried()
        kept = None if talk.kept is None else talk.kept.last_event
        path = session_path(self.id, "ws", talk.resume_from, checkpoint=kept)
        token = talk.token
        async with self._server.socket(path, token=token, max_msg_size=MAX_MESSAGE_BYTES) as socket:
            connection = Connection(
                socket, self._conversation, self._policy, wake=self._wake, tell=self._react
            )
            return await connection.run()

    def _react(self, reaction: Reaction) -> None:
        if reaction.event is not None:
            self._mailbox.put(reaction.event)
        if isinstance(reaction.event, Completed):
            self._complete(reaction.event)
        self._changed.set()

    def _complete(self, completed: Completed) -> None:
        self._completed = completed
        self._mailbox.close()
        self._changed.set()

    async def _transcribe_recording(self) -> Completed:
        """Block mode, once however many wait for it."""
        async with self._block:
            if self._completed is not None:
                return self._completed
            assert self._failure is not None
            setup = self._setup
            if setup.recording is None or not whole_recording_helps(self._failure):
                raise self._failure
            try:
                completed = await self._server.transcribe(
                    setup.recording, setup.audio.mime_type, setup.query
                )
            except SessionError as error:
                self._mailbox.close(error)
                raise
            for warning in completed.warnings:
                self._mailbox.put(warning)
            self._mailbox.put(completed)
            self._complete(completed)
            return completed

    def _order(self, action: Action) -> None:
        self._raise_if_over()
        self._conversation.outbox.order(action)
        self._wake.set()

    def _has_room(self, size: int) -> bool:
        waiting = self._conversation.outbox.waiting_bytes
        room = self._setup.buffer_bytes(self._policy.buffer_seconds)
        return waiting == 0 or waiting + size <= room or self._conversation.ended is not None

    def _saved_by_block_mode(self, failure: SessionError) -> bool:
        return self._setup.recording is not None and whole_recording_helps(failure)

    def _raise_if_over(self) -> None:
        failure = self._conversation.ended or self._failure
        if failure is not None and not self._saved_by_block_mode(failure):
            raise failure

    async def _until(self, reached: Callable[[], bool]) -> None:
        """Wait for a condition or the session's failure."""
        while not reached() and self._failure is None:
            self._changed.clear()
            await self._changed.wait()


def _lost(reason: str) -> SessionError:
    return SessionError(
        "connection_lost", f"the connection could not be restored: {reason}", retryable=True
    )
