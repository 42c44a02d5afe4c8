"""One WebSocket of a session."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import ClientWebSocketResponse, WSMsgType

from steno_client.domain.conversation import Conversation, Reaction
from steno_client.domain.fields import MessageError
from steno_client.domain.messages import chunk_frame, control, parse, ping
from steno_client.domain.outbox import Chunk
from steno_client.domain.policy import Policy
from steno_client.domain.verdict import close_failure
from steno_client.errors import SessionError

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""Of the server; the longest one holds the text of an hour."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a connection is over: the session is, or another connection shall follow."""

    reason: str
    failure: SessionError | None = None
    told: float | None = None
    """Seconds until the next try, as the server told."""
    at_least: float | None = None
    """Seconds for which the server asked to be spared."""


class Connection:
    """Reads, writes and pings until the socket or the session ends."""

    def __init__(
        self,
        socket: ClientWebSocketResponse,
        conversation: Conversation,
        policy: Policy,
        *,
        wake: asyncio.Event,
        tell: Callable[[Reaction], None],
    ) -> None:
        """`wake` is set when there may be something to send; `tell` hands reactions on."""
        self._socket = socket
        self._conversation = conversation
        self._policy = policy
        self._wake = wake
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._held_until = 0.0
        self._leave_at = float("inf")
        self._stalled = False

    async def run(self) -> Ending:
        """Hold the connection until it ends."""
        async with asyncio.TaskGroup() as group:
            others = [
                group.create_task(self._write(), name="steno-client-writer"),
                group.create_task(self._ping(), name="steno-client-pinger"),
            ]
            try:
                return await self._read()
            finally:
                self._conversation.outbox.detached()
                for task in others:
                    task.cancel()

    async def _read(self) -> Ending:
        while True:
            deadline = min(self._loop.time() + self._policy.dead_seconds, self._leave_at)
            try:
                async with asyncio.timeout_at(deadline):
                    frame = await self._socket.receive()
            except TimeoutError:
                if self._loop.time() >= self._leave_at:
                    return Ending("the gateway goes away", told=0.0)
                return Ending("the server is silent")
            if frame.type is WSMsgType.TEXT:
                ending = self._hear(frame.data)
                if ending is not None:
                    return ending
            elif frame.type is not WSMsgType.BINARY:
                return self._closed()

    def _hear(self, text: str) -> Ending | None:
        try:
            message = parse(text)
        except MessageError as error:
            return Ending(f"the server sent no message of the protocol: {error}")
        if message is None:
            return None
        now = self._loop.time()
        reaction = self._conversation.heard(message, now)
        if reaction.hold is not None:
            self._held_until = now + reaction.hold
        if reaction.leave is not None:
            self._leave_at = now + reaction.leave
        self._wake.set()
        self._tell(reaction)
        if reaction.failure is not None:
            return Ending("the server refused", reaction.failure)
        return Ending("completed") if self._conversation.completed else None

    def _closed(self) -> Ending:
        if self._stalled:
            return Ending("the server does not answer")
        code = self._socket.close_code
        if self._leave_at < float("inf"):
            told = max(0.0, self._leave_at - self._loop.time())
            return Ending("the gateway went away", close_failure(code), told)
        return Ending(f"the connection was closed ({code})", close_failure(code))

    async def _write(self) -> None:
        """A broken socket ends this silently: the reader notices it as well, and decides."""
        outbox = self._conversation.outbox
        try:
            while True:
                self._wake.clear()
                held = self._held_until - self._loop.time()
                if held > 0:
                    await self._wait(held)
                    continue
                item = outbox.take()
                if item is None:
                    await self._wake.wait()
                elif isinstance(item, Chunk):
                    await self._socket.send_bytes(chunk_frame(item.number, item.audio))
                else:
                    await self._socket.send_str(control(item.action))
        except ConnectionError:
            return

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _ping(self) -> None:
        try:
            while True:
                await asyncio.sleep(self._policy.ping_seconds)
                if self._conversation.stalled(self._loop.time()):
                    self._stalled = True
                    await self._socket.close()
                    return
                await self._socket.send_str(ping(self._loop.time()))
        except ConnectionError:
            return
