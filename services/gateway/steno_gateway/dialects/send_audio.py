"""The socket of `/sendAudio`: what comes is given to the session that it names."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from typing import Final

from aiohttp import web

from steno_gateway.access import CALLER, Pass
from steno_gateway.connection import Known, serve_session
from steno_gateway.dialects.named_line import NamedLine
from steno_gateway.domain.access import Caller
from steno_gateway.domain.choice import chosen_languages
from steno_gateway.domain.client import Control, SessionRequest, request_of_query
from steno_gateway.domain.dialects.send_audio import SendAudio
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.intake import Bucket
from steno_gateway.line import Inbox
from steno_gateway.naming import Naming
from steno_gateway.services import Services, dialect_of, serve_socket
from steno_gateway.socket import Handling, Peer, is_frame, telling

RAW: Final = "audio/pcm;rate=16000;channels=1;encoding=s16le"
WISHES: Final = {"language", "task", "prompt", "hotwords", "duration_limit"}
"""What an address may say: the format of the audio is fixed."""
MAX_SESSIONS: Final = 100
"""That one socket carries at a time."""
TURN_FRAMES: Final = 32
"""After so many frames that were there already, others get their turn."""


@dataclass(eq=False, slots=True)
class Desk:
    """The sessions of one socket."""

    services: Services
    peer: Peer
    dialect: SendAudio
    caller: Caller
    asked: SessionRequest
    """What the address says of all of them."""
    headers: Mapping[str, str]
    """Of the handshake; they may name a trace."""
    languages: tuple[str, ...] = ()
    """Of translations that the client wants of all of them."""
    _lines: dict[str, NamedLine] = field(default_factory=dict)
    """By name, those that take audio or tell why they take none."""
    _served: set[NamedLine] = field(default_factory=set)
    _chatter: Bucket = field(init=False)
    naming: Naming = field(init=False)

    def __post_init__(self) -> None:
        rate = self.services.settings.max_messages_per_second
        self._chatter = Bucket(rate, 4 * rate)
        self.naming = Naming(self.services, self.caller.key or "", self.headers)

    async def run(self) -> None:
        """Serve until the client leaves or is dismissed, and what it has sent is stored."""
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(self._read(tasks), name="receive shared")
            dismissed = tasks.create_task(self.peer.dismissed.wait(), name="dismissed shared")
            await asyncio.wait({reading, dismissed}, return_when=asyncio.FIRST_COMPLETED)
            for task in (reading, dismissed):
                task.cancel()
            for line in self._served:
                line.inbox.close()

    async def _read(self, tasks: asyncio.TaskGroup) -> None:
        for number in count(1):
            if number % TURN_FRAMES == 0:
                await asyncio.sleep(0)
            # Who has ended a session may wait for what is left of it in silence.
            waits = any(line.ended for line in self._served)
            seconds = self.services.settings.socket_idle_seconds
            try:
                async with asyncio.timeout(None if waits else seconds):
                    frame = await self.peer.ws.receive()
            except TimeoutError as error:
                raise ClientError("idle_timeout", f"no message for {seconds:.0f} s") from error
            if not is_frame(frame):
                return
            try:
                name, messages = self.dialect.address(frame.data)
                ends = any(isinstance(message, Control) for message in messages)
                line = self._line(tasks, name, ends=ends)
                line.put(messages, time.monotonic(), self.dialect.buffer_bytes)
                line.ended |= ends
            except ClientError as error:
                if self._chatter.take(time.monotonic()):
                    raise ClientError("too_many_messages", "too many messages that bring no audio"
                                      ) from error  # fmt: skip
                named = replace(self.dialect, name=self.dialect.name_in(frame.data))
                await self.peer.complain(named, error)

    def _line(self, tasks: asyncio.TaskGroup, name: str, *, ends: bool) -> NamedLine:
        """Give the line of a name, a new one if there is none; raises ClientError."""
        line = self._lines.get(name)
        if line is not None and not line.ended and not line.closed.is_set():
            return line
        if line is not None and line.lost:
            return line
        if max(len(self._served), len(self._lines)) >= MAX_SESSIONS:
            raise ClientError("quota_exceeded", "this socket carries as many sessions as it may")
        self.services.admission.handshake(self.caller.address)
        self.services.admission.handshake_of_key(self.caller.key)
        inbox = Inbox(self.services.memory.inflow, 2 * self.dialect.buffer_bytes)
        line = NamedLine(self.peer, replace(self.dialect, name=name), inbox, name)
        self._lines[name] = line
        self._served.add(line)
        admit = _refuse_to_begin if ends else partial(_may_begin, self.services, self.caller)
        tasks.create_task(self._serve(line, admit), name="receive named")
        return line

    async def _serve(self, line: NamedLine, admit: Callable[[], None]) -> None:
        try:
            async with telling(line.refuse):
                await self._hold(line, admit)
            while line.resting and line.inbox.size:  # something was said just now
                line.resting = False
                async with telling(line.refuse):
                    await self._hold(line, admit)
        finally:
            line.close()
            self._served.discard(line)
            self.services.holders.leave(self.naming.owner, line.name, line)
            if not line.lost and self._lines.get(line.name) is line:
                del self._lines[line.name]

    async def _hold(self, line: NamedLine, admit: Callable[[], None]) -> None:
        services, name = self.services, line.name
        over = await services.holders.take(self.naming.owner, name, line)
        named = await self.naming.open(name, self.asked, admit=admit, over=over)
        line.found(named.session_id)
        way_back = Pass(services.access, self.caller, named.session_id)
        async with asyncio.TaskGroup() as tasks:
            keep = tasks.create_task(self.naming.keep(name, named.session_id), name="keep name")
            known = Known(named.after, languages=self.languages)
            await serve_session(services, line, way_back, known)
            keep.cancel()
        line.check_held()


def _may_begin(services: Services, caller: Caller) -> None:
    services.admission.may_begin(caller.key)
    services.memory.admit()


def _refuse_to_begin() -> None:
    raise ClientError("session_not_found", "no session of this name is live")


async def send_audio(request: web.Request) -> web.StreamResponse:
    """`GET /sendAudio`."""

    async def serve(services: Services, peer: Peer) -> None:
        caller = request[CALLER]
        with services.admission.socket(caller.address), services.sockets.holding(peer):
            query = [(name, value) for name, value in request.query.items() if name in WISHES]
            asked = request_of_query(RAW, query)
            assert isinstance(peer.dialect, SendAudio)
            languages = chosen_languages(request.query.getall("translations", ()))
            await Desk(services, peer, peer.dialect, caller, asked, request.headers,
                       languages).run()  # fmt: skip

    return await serve_socket(request, serve, dialect=dialect_of(request),
                              handling=Handling(close_late=True))  # fmt: skip
