"""The receiving side of a session's line: from what a client says to items for the store."""

import asyncio
import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from typing import Final

from steno_gateway.domain.client import Audio, AudioChunk, ClientMessage, Control, Ping
from steno_gateway.domain.dialects.base import Heard
from steno_gateway.domain.dialogue import Dialogue
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.idle import IdleWatch
from steno_gateway.domain.intake import Bucket
from steno_gateway.domain.items import Item
from steno_gateway.ingest import Ingest
from steno_gateway.line import LINGER_SECONDS, Line
from steno_gateway.telling import Teller

TICK_SECONDS: Final = 0.5
LEAVE_SECONDS: Final = 2.0
TURN_MESSAGES: Final = 32
"""After so many messages that were there already, others get their turn."""


@dataclass(slots=True)
class Receiver:
    """Takes what a client says; waits for nothing but the next frame.

    So heartbeats are answered. Of a line that is read ahead it waits for room too.
    """

    line: Line
    dialogue: Dialogue
    ingest: Ingest
    teller: Teller
    idle: IdleWatch
    chatter: Bucket
    """Of all messages but the audio that is taken."""
    idle_seconds: float
    """A socket without any message for this long is given up."""
    untaken: Bucket
    """Of chunks that are not taken: a client that sends on regardless is read more slowly."""

    async def run(self) -> None:
        """Take messages until the client leaves; raises ClientError for what ends the socket."""
        for number in count(1):
            if number % TURN_MESSAGES == 0:
                await asyncio.sleep(0)
            try:
                heard = await self._hear()
                if heard is None:
                    await self.leave(linger=self.line.manners.ends_with_client)
                    return
                if heard.error is not None:
                    raise heard.error
                for message in heard.messages:
                    await self._handle(message, heard.at)
            except ClientError as error:
                if error.fault.close is not None:
                    raise
                self._count_chatter()
                await self._refuse(error)

    async def _hear(self) -> Heard | None:
        # The limit stands around the call: the one within it begins anew with each pong.
        limit = None if self.dialogue.over else self.idle_seconds
        try:
            async with asyncio.timeout(limit):
                return await self.line.receive()
        except TimeoutError as error:
            reason = f"no message for {self.idle_seconds:.0f} s"
            raise ClientError("idle_timeout", reason) from error

    def _count_chatter(self) -> None:
        if self.chatter.take(time.monotonic()):
            raise ClientError("too_many_messages", "too many messages a second that bring no audio")

    async def leave(self, *, linger: bool = False) -> None:
        """Store what a client sent before it closed, as long as that takes no time to speak of.

        To `linger` is to go on as long as any of it can be stored: nobody sends it again.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS):
                await self.line.emptied()
        if self.line.manners.ends_with_client:
            self._put(self.dialogue.cut_off())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS if linger else LEAVE_SECONDS) as bound:
                while not self.ingest.idle:
                    before = self.ingest.stored
                    self.ingest.progress.clear()
                    await self.ingest.progress.wait()
                    if linger and self.ingest.stored > before:
                        bound.reschedule(asyncio.get_running_loop().time() + LINGER_SECONDS)

    async def cut_off(self) -> None:
        """End the input with what was taken, and say why."""
        if self._put(self.dialogue.cut_off()):
            reason = "this server has no memory left; the session ends with what it has"
            await self.line.refuse(ClientError("memory_exhausted", reason))

    async def watch_silence(self) -> None:
        """Put a marker where the client, though it could send, has sent nothing for a while."""
        while not self.dialogue.over:
            await asyncio.sleep(TICK_SECONDS)
            can_send = self.ingest.idle and self.dialogue.intake.limit > self.ingest.stored
            if self.idle.tick(can_send=can_send):
                self._put(self.dialogue.silent())

    async def _refuse(self, error: ClientError) -> None:
        await self.line.refuse(error)
        if error.code == "backlog_full":
            self.teller.repeat()  # the client waits for an ack, even one that says no more
        if error.code == "too_many_chunks":
            self._put(self.dialogue.act("stop"))

    async def _handle(self, message: ClientMessage, at: float) -> None:
        if not isinstance(message, AudioChunk | Audio):
            self._count_chatter()
        match message:
            case AudioChunk():
                await self._audio(message, at)
            case Audio():
                await self._in_turn(message.data, at)
            case Control():
                if self.ingest.crowded:
                    raise ClientError("rate_limited", "too many actions wait", retry_after_ms=1_000)
                self._put(self.dialogue.act(message.action))
            case Ping():
                await self.line.send({"type": "server:pong", "timestamp": message.timestamp})

    async def _in_turn(self, data: bytes, at: float) -> None:
        """Take audio that has no number: it comes next."""
        intake = self.dialogue.intake
        self.teller.settle()
        while self.line.manners.waits and not (self.dialogue.over or intake.has_room(len(data))):
            self.ingest.progress.clear()
            await self.ingest.progress.wait()
            self.teller.settle()
        if self.dialogue.over and self.line.manners.waits:
            return  # the client has been told why, and did not stop to hear it
        if self.line.manners.waits:
            at = time.monotonic()  # its own pace is no latency of ours
        if self._put(self.dialogue.next_audio(data, at)):
            self.idle.audio()

    async def _audio(self, chunk: AudioChunk, at: float) -> None:
        self.teller.settle()
        if self._put(self.dialogue.audio(chunk, at)):
            self.idle.audio()
        else:
            self.teller.repeat()  # a duplicate is acknowledged again
            self.ingest.progress.set()
            while wait := self.untaken.take(time.monotonic()):  # noqa: ASYNC110 - it keeps a rate
                await asyncio.sleep(wait)

    def _put(self, items: Iterable[Item]) -> bool:
        put = False
        for item in items:
            self.ingest.put(item)
            put = True
        return put
