"""The beginning of sessions, one's own or another's to listen to."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Unpack

from aiohttp import ClientWebSocketResponse, WSCloseCode, WSMsgType

from steno_client.access import Access
from steno_client.connection import MAX_MESSAGE_BYTES
from steno_client.domain.conversation import Conversation, Reaction
from steno_client.domain.events import Event, Status
from steno_client.domain.fields import MessageError
from steno_client.domain.messages import parse
from steno_client.domain.policy import Policy
from steno_client.domain.verdict import LOSSES, close_failure
from steno_client.errors import SessionError
from steno_client.options import Options, Setup
from steno_client.recording import Recording
from steno_client.server import Server, open_server, session_path
from steno_client.session import Session


@asynccontextmanager
async def connect(
    url: str,
    *,
    policy: Policy | None = None,
    access: Access | None = None,
    block_mode: bool = False,
    replay: Recording | None = None,
    **options: Unpack[Options],
) -> AsyncIterator[Session]:
    """Create a session on the server at `url` and hold it until the context ends.

    If all else fails the recording is sent as a whole (block mode): from `replay` where the caller
    can give it again, else, with `block_mode`, from memory, which then keeps all of it.
    `access` is what a server with API keys asks for.
    Leaving the context before `finish` leaves the server to end the session with what it has.

    Raises SessionError, and ValueError for an address that is none.
    """
    policy = policy or Policy()
    setup = Setup.read(options, block_mode=block_mode, replay=replay)
    async with open_server(url, policy, access) as server:
        session = Session(server, policy, setup, opened=await server.create_session(setup.request))
        task = asyncio.create_task(session.run(), name=f"steno-client-session-{session.id}")
        try:
            yield session
        finally:
            session.leave()
            task.cancel()
            await asyncio.wait([task])


async def listen(
    url: str,
    session_id: str,
    *,
    last_event: int = 0,
    languages: Sequence[str] = (),
    original: bool = True,
    policy: Policy | None = None,
    access: Access | None = None,
) -> AsyncGenerator[Event, None]:
    """Events of a session that somebody else holds, each once, up to and with Completed.

    `last_event`: number of the last event that is already known. Connects again by itself.
    `languages`: such as `es`, of translations, some of which may follow Completed for as long as
    the server waits for them; without `original` no finals, partials, utterances come.

    Raises SessionError, and ValueError for an address that is none.
    """
    policy = policy or Policy()
    conversation = Conversation(policy, container=False)
    conversation.last_event = last_event
    choice = {"language": ",".join(languages) or None, "original": None if original else "false"}
    async with open_server(url, policy, access) as server:
        heard = _Hearing(server, session_id, conversation, choice)
        while not heard.over:
            told = at_least = lost = None
            try:
                async for reaction in heard.reactions():
                    if reaction.event is not None:
                        yield reaction.event
                    if reaction.leave is not None:
                        told = reaction.leave
            except SessionError as error:
                # One that was heard may be about to be restored by whoever holds it.
                lost = error if conversation.epoch and error.code in LOSSES else None
                if not error.retryable and not lost:
                    raise
                at_least = error.retry_after
            if heard.over:
                return
            delay = conversation.backoff.delay(told=told, at_least=at_least)
            if delay is None:
                raise lost or SessionError(
                    "connection_lost", "the connection could not be restored", retryable=True
                )
            yield Status("reconnecting")
            await asyncio.sleep(delay)


@dataclass(slots=True)
class _Hearing:
    """One listener over any number of connections."""

    server: Server
    session_id: str
    conversation: Conversation
    choice: Mapping[str, str | None]
    over: bool = False
    """Whether the server has nothing more to tell."""

    async def reactions(self) -> AsyncIterator[Reaction]:
        """Hear what one connection brings."""
        conversation = self.conversation
        path = session_path(self.session_id, "listen", conversation.resume_from,
                            epoch=conversation.epoch or None, **self.choice)  # fmt: skip
        clock = asyncio.get_running_loop().time
        options = {"max_msg_size": MAX_MESSAGE_BYTES, "heartbeat": 10.0}
        async with self.server.socket(path, token=conversation.token, **options) as socket:
            async for text in _texts(socket):
                try:
                    message = parse(text)
                except MessageError as error:
                    raise SessionError("invalid_answer", str(error), retryable=True) from error
                reaction = Reaction() if message is None else conversation.heard(message, clock())
                yield reaction
                if reaction.failure is not None:
                    raise reaction.failure
                completed = conversation.completed is not None
                self.over = completed and self.choice["language"] is None
                if self.over:
                    return
            # Translations may come behind the end: the server says when there are no more.
            self.over = conversation.completed is not None and socket.close_code == WSCloseCode.OK


async def _texts(socket: ClientWebSocketResponse) -> AsyncIterator[str]:
    while True:
        frame = await socket.receive()
        if frame.type is WSMsgType.TEXT:
            yield frame.data
        elif frame.type is not WSMsgType.BINARY:
            failure = close_failure(socket.close_code)
            if failure is not None:
                raise failure
            return
