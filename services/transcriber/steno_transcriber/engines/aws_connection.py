"""One HTTP/2 connection that carries one stream to Amazon Transcribe.

It stands in for the session manager of `amazon-transcribe`, which shares a connection among
streams, trusts the system's certificates alone, takes a lost connection for the end of the answer,
breaks when a waiting caller is cancelled, and keeps a core busy while there is no audio to send.
"""

import asyncio
import io
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

from amazon_transcribe.response import Response
from awscrt.exceptions import AwsCrtError
from awscrt.http import HttpClientConnection, HttpHeaders, HttpRequest, HttpVersion
from awscrt.io import ClientBootstrap, ClientTlsContext, SocketOptions

IDLE_SECONDS: Final = 0.01
"""How long the network's thread sleeps while no stream has anything to send."""
HTTPS_PORT: Final = 443


class Doze:
    """Lets the network's thread sleep: it asks every stream for its next bytes without a pause."""

    def __init__(self) -> None:
        self.streams = 0
        self._audio = threading.Event()

    def wake(self) -> None:
        """Say that there is something to send."""
        self._audio.set()

    def sleep(self) -> None:
        """Sleep the share of one stream, or until there is something to send."""
        self._audio.wait(IDLE_SECONDS / max(1, self.streams))
        self._audio.clear()


class _Body(io.RawIOBase):
    """A request's body that dozes where it would block."""

    def __init__(self, body: Any, doze: Doze) -> None:
        self._body = body
        self._doze = doze

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            return int(self._body.readinto(buffer))
        except BlockingIOError:
            self._doze.sleep()
            raise


class Answer:
    """What comes back, handed over from the network's thread to the event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._head: asyncio.Future[Response] = self._loop.create_future()
        self._chunks: asyncio.Queue[bytes | AwsCrtError | None] = asyncio.Queue()

    async def resolve_response(self) -> Response:
        """Wait for status and headers. Raises AwsCrtError if the connection is lost."""
        return await self._head

    async def consume_body(self) -> bytes:
        """Give the whole body."""
        return b"".join([chunk async for chunk in self.chunks()])

    async def chunks(self) -> AsyncIterator[bytes]:
        """Give the body as it comes. Raises AwsCrtError if it breaks off."""
        while (chunk := await self._chunks.get()) is not None:
            if isinstance(chunk, AwsCrtError):
                raise chunk
            yield chunk

    def on_head(self, *, status_code: int, headers: list[tuple[str, str]], **_: Any) -> None:
        """Take status and headers, in the network's thread."""
        self._call(self._answered, Response(status_code=status_code, headers=dict(headers)))

    def on_body(self, *, chunk: bytes, **_: Any) -> None:
        """Take a piece of the body, in the network's thread."""
        self._call(self._chunks.put_nowait, bytes(chunk))

    def on_complete(self, completion: "Future[int]") -> None:
        """Take the end, in the network's thread."""
        self._call(self._ended, completion.exception())

    def _call(self, function: Callable[..., None], *arguments: Any) -> None:
        with suppress(RuntimeError):  # the event loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(function, *arguments)

    def _answered(self, response: Response) -> None:
        if not self._head.done():
            self._head.set_result(response)

    def _ended(self, error: BaseException | None) -> None:
        if not self._head.done():
            if error is None:
                error = AwsCrtError(0, "NO_ANSWER", "the connection ended without an answer")
            self._head.set_exception(error)
            # Whoever waited for it may have been cancelled.
            self._head.exception()
        self._chunks.put_nowait(error if isinstance(error, AwsCrtError) else None)


class Connection:
    """Makes one request; close it to let go of everything at once."""

    def __init__(self, bootstrap: ClientBootstrap, tls: ClientTlsContext, doze: Doze) -> None:
        self._bootstrap = bootstrap
        self._tls = tls
        self._doze = doze
        self._connection: HttpClientConnection | None = None

    async def make_request(
        self, url: str, *, method: str, headers: list[tuple[str, str]], body: Any
    ) -> Answer:
        """Connect and begin the request, as the SDK's session manager does."""
        parts = urlsplit(url)
        connection = self._connection = await self._connect(parts.hostname or "", parts.port)
        self._doze.streams += 1
        if connection.version is not HttpVersion.Http2:
            raise AwsCrtError(0, "NO_HTTP2", "the server does not speak HTTP/2")
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        request = HttpRequest(method, path, HttpHeaders(headers), _Body(body, self._doze))
        answer = Answer()
        stream = connection.request(request, answer.on_head, answer.on_body)
        stream.completion_future.add_done_callback(answer.on_complete)
        stream.activate()
        return answer

    def close(self) -> None:
        """Cut the connection, if there is one."""
        if self._connection is not None:
            self._doze.streams -= 1
            self._connection.close()
            self._connection = None

    async def _connect(self, host: str, port: int | None) -> HttpClientConnection:
        options = self._tls.new_connection_options()
        options.set_server_name(host)
        options.set_alpn_list(["h2"])
        connecting = HttpClientConnection.new(
            host_name=host,
            port=port or HTTPS_PORT,
            bootstrap=self._bootstrap,
            socket_options=SocketOptions(),
            tls_connection_options=options,
        )
        return await _awaited(connecting)


async def _awaited(connecting: "Future[HttpClientConnection]") -> HttpClientConnection:
    """Wait for a connection; one that comes after the caller was cancelled is closed.

    The future itself is never cancelled: the network's thread would fail to set it.
    """
    loop = asyncio.get_running_loop()
    waiting: asyncio.Future[HttpClientConnection] = loop.create_future()

    def connected(done: "Future[HttpClientConnection]") -> None:
        if waiting.cancelled():
            if done.exception() is None:
                done.result().close()
        elif (error := done.exception()) is not None:
            waiting.set_exception(error)
        else:
            waiting.set_result(done.result())

    def hand_over(done: "Future[HttpClientConnection]") -> None:
        try:
            loop.call_soon_threadsafe(connected, done)
        except RuntimeError:  # the event loop is closed: nobody waits any more
            if done.exception() is None:
                done.result().close()

    connecting.add_done_callback(hand_over)
    return await waiting
