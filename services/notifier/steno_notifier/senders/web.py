"""Requests to receivers: free to those of the installation, guarded to those of sessions."""

import contextlib
import socket
import time
from asyncio import timeout
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver
from aiohttp.connector import AddrInfoType

from steno_common import tracing
from steno_common.destinations import DestinationSettings, check_url
from steno_common.messages import Destination
from steno_notifier.domain.answers import judge
from steno_notifier.domain.outgoing import Verdict
from steno_notifier.domain.reachable import reachable
from steno_notifier.senders.resolving import OwnThreads
from steno_notifier.senders.trying import (
    ForbiddenAddressError,
    RedirectedError,
    RefusedError,
)

ANSWER_BYTES: Final = 4096
"""So much of an answer is read, so that its connection can be used again."""
ANSWER_SECONDS: Final = 1.0
KEPT_SECONDS: Final = 4.0
"""A connection rests: many servers close theirs after 5 s, maybe just when something is sent."""

SocketFactory = Callable[[AddrInfoType], socket.socket]


class Web:
    """Sessions of HTTP that follow no redirect, keep no cookie, know no proxy."""

    def __init__(self, settings: DestinationSettings, resolver: AbstractResolver | None = None,
                 clock: Callable[[], float] = time.time) -> None:  # fmt: skip
        self._settings = settings
        self._allowed = settings.allowed
        self._clock = clock
        self._resolver = resolver or OwnThreads()
        self._free = _session()
        self._guarded = _session(resolver=self._resolver, socket_factory=self._guarded_socket)

    def session(self, destination: Destination) -> aiohttp.ClientSession:
        """Give what may connect to a destination; raises RefusedError if nothing may."""
        if self.is_own(destination):
            return self._free
        try:
            check_url(destination.kind, destination.url, self._allowed)
        except ValueError:
            raise RefusedError("forbidden_url") from None
        host = urlsplit(destination.url).hostname or ""
        return self._free if host in self._allowed.hosts else self._guarded

    def is_own(self, destination: Destination) -> bool:
        """Say whether the installation names a destination, not a session."""
        named = msgspec.structs.replace(destination, url="", secret="")
        return self._settings.resolve(named).url == destination.url

    async def post(self, destination: Destination, body: bytes, headers: dict[str, str]) -> Verdict:
        """Post to a destination; raises what `tried` turns into verdicts."""
        session, final = self.session(destination), destination.kind == "pipeline"
        try:
            async with session.post(destination.url, data=body, headers=headers) as response:
                later = response.headers.get("Retry-After", "")
                await _read(response)
        except RedirectedError as error:
            return judge(error.status, refusal_is_final=final)
        return judge(response.status, later, self._clock(), refusal_is_final=final)

    def now(self) -> float:
        """Give the time of day in seconds since 1970."""
        return self._clock()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._free.close()
        await self._guarded.close()
        await self._resolver.close()

    def _guarded_socket(self, info: AddrInfoType) -> socket.socket:
        """Open a socket for an address that may be reached.

        Here the address is the very one that is connected to next, whether it was looked up or
        written in the URL: no name can lead elsewhere in between.
        """
        family, kind, protocol, _, address = info
        if not reachable(str(address[0]), self._allowed.has):
            raise ForbiddenAddressError
        return socket.socket(family, kind, protocol)


def _session(**connecting: Any) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        # No limit: who waits for a connection would use up the time of its try. Whoever sends
        # bounds how many tries there are.
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_SECONDS, **connecting),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "Steno", "Accept-Encoding": "identity"},
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        middlewares=(_stay, _noted),
        trust_env=False,
    )


async def _stay(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
                ) -> aiohttp.ClientResponse:  # fmt: skip
    """Refuse to be sent elsewhere; a WebSocket's handshake would follow otherwise."""
    response = await handler(request)
    if 300 <= response.status < 400:
        response.close()
        raise RedirectedError(response.status)
    return response


async def _noted(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
                 ) -> aiohttp.ClientResponse:  # fmt: skip
    """Tell the trace what was asked, and the status of the answer."""
    tracing.note(method=request.method)
    response = await handler(request)
    tracing.note(status=response.status)
    return response


async def _read(response: aiohttp.ClientResponse) -> None:
    """Read the rest of a short answer; the status has decided, whatever becomes of this."""
    room = ANSWER_BYTES
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        async with timeout(ANSWER_SECONDS):
            while room > 0 and (part := await response.content.read(room)):
                room -= len(part)
