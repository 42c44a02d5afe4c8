"""What a Steno server offers over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import aiohttp

from steno_client.access import Access
from steno_client.domain.backoff import Backoff
from steno_client.domain.events import Completed
from steno_client.domain.fields import Fields, MessageError
from steno_client.domain.kept import Kept
from steno_client.domain.messages import read_error
from steno_client.domain.policy import Policy
from steno_client.domain.reading import read_completed
from steno_client.domain.verdict import failure_of, status_failure
from steno_client.errors import SessionError

T = TypeVar("T")

_SCHEMES: Final[Mapping[str, str]] = {
    "http": "http",
    "https": "https",
    "ws": "http",
    "wss": "https",
}
_BLOCK_SECONDS: Final = 3_600.0
_SESSIONS: Final = "/api/streaming/sessions"


def base_url(url: str) -> str:
    """The address of a server as `http(s)://host[/path]`, without a slash at its end.

    Raises ValueError for what is no address of a server.
    """
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise ValueError(f"{url!r} is not an address like http://127.0.0.1:8080")
    return urlunsplit((_SCHEMES[parts.scheme], parts.netloc, parts.path.rstrip("/"), "", ""))


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session."""

    session_id: str
    token: str | None = None
    """For its socket; None: the server has no keys."""
    checkpoint: str | None = None
    """Where it stands; None: the server knows no checkpoints."""


class Server:
    """Requests to one server; all raise SessionError."""

    def __init__(
        self, http: aiohttp.ClientSession, url: str, policy: Policy, access: Access
    ) -> None:
        """`url` as `base_url` gives it."""
        self.http = http
        self.url = url
        self._policy = policy
        self._access = access

    async def create_session(self, request: Mapping[str, Any]) -> Opened:
        """Create a session, trying for as long as the policy says."""

        async def create() -> Opened:
            wanted = {**request, "checkpoints": True}
            fields = _understood(await self._request("POST", _SESSIONS, json=wanted))
            given = (fields.optional_text(name) for name in ("token", "checkpoint"))
            return Opened(fields.text("session_id"), *given)

        try:
            async with asyncio.timeout(self._policy.creation_seconds):
                return await self._persistently(create, self._policy.creation_seconds)
        except TimeoutError as error:
            raise self._unreachable() from error

    async def renewed_token(self, session_id: str) -> str | None:
        """Get a new token of a session with the API key; None if there is no key."""
        if self._access.api_key is None:
            return None
        path = f"{_SESSIONS}/{quote(session_id, safe='')}/tokens"
        text = await self._persistently(lambda: self._request("POST", path, json={}))
        return _understood(text).optional_text("token")

    async def restore(self, session_id: str, kept: Kept) -> str | None:
        """Bring a session back that the server has lost; return a token, if there are any."""
        path = f"{_SESSIONS}/{quote(session_id, safe='')}/restore"
        request = kept.request()
        text = await self._persistently(lambda: self._request("POST", path, json=request))
        return _understood(text).optional_text("token")

    async def transcribe(
        self,
        recording: Callable[[], AsyncIterator[bytes]],
        mime_type: str,
        query: Sequence[tuple[str, str]],
    ) -> Completed:
        """Send a whole recording (block mode); it is asked for again at every try."""

        async def post() -> Completed:
            text = await self._request(
                "POST",
                "/api/transcriptions",
                data=recording(),
                headers={"Content-Type": mime_type},
                params=query,
                timeout=aiohttp.ClientTimeout(total=_BLOCK_SECONDS, sock_connect=30),
            )
            try:
                return read_completed(_understood(text))
            except MessageError as error:
                raise SessionError("invalid_answer", str(error)) from error

        return await self._persistently(post)

    async def text(self, path: str, params: Mapping[str, str | int] | None = None) -> str:
        """Get a text; `path` may be an address that the server gave."""
        return await self._persistently(lambda: self._request("GET", path, params=params))

    async def delete(self, path: str) -> None:
        """Delete what is at a path."""
        await self._persistently(lambda: self._request("DELETE", path))

    @asynccontextmanager
    async def socket(
        self, path: str, *, token: str | None = None, **options: Any
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Open a WebSocket with a session's token, else with the access of all requests.

        What can be tried again is a retryable SessionError.
        """
        with self._translated():
            async with asyncio.timeout(self._policy.connect_seconds):
                socket = await self.http.ws_connect(
                    self.url + path,
                    headers=_authorization(token or self._access.bearer),
                    timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
                    **options,
                )
        async with socket:
            yield socket

    async def _request(self, method: str, path: str, **options: Any) -> str:
        own = not path.startswith(("http:", "https:"))
        address = self.url + path if own else path
        headers = options.pop("headers", {})
        if own:  # nobody else is shown the key
            headers = headers | _authorization(self._access.bearer)
        with self._translated():
            async with self.http.request(method, address, headers=headers, **options) as response:
                text = await response.text()
                if response.ok:
                    return text
                raise _refusal(response, text)

    async def _persistently(
        self, attempt: Callable[[], Awaitable[T]], seconds: float | None = None
    ) -> T:
        """Repeat what may succeed later; the last pause ends before `seconds` do."""
        backoff = Backoff(self._policy.delays)
        clock = asyncio.get_running_loop().time
        end = clock() + (float("inf") if seconds is None else 0.9 * seconds)
        while True:
            try:
                return await attempt()
            except SessionError as error:
                delay = backoff.delay(at_least=error.retry_after)
                left = end - clock()
                if not error.retryable or delay is None or left <= 0:
                    raise
            await asyncio.sleep(min(delay, left))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except aiohttp.WSServerHandshakeError as error:
            after = _seconds(error.headers.get("Retry-After") if error.headers else None)
            raise status_failure(error.status) or SessionError(
                "connection_lost",
                f"{self.url} refused the connection ({error.status})",
                retryable=True,
                retry_after=after,
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise self._unreachable() from error

    def _unreachable(self) -> SessionError:
        return SessionError("connection_lost", f"no answer from {self.url}", retryable=True)


@asynccontextmanager
async def open_server(
    url: str, policy: Policy, access: Access | None = None
) -> AsyncIterator[Server]:
    """Hold a connection pool to a server."""
    base, access = base_url(url), access or Access()
    timeout = aiohttp.ClientTimeout(total=120, sock_connect=policy.connect_seconds)
    connector = aiohttp.TCPConnector(ssl=access.tls())
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
        yield Server(http, base, policy, access)


def session_path(session_id: str, end: str, last_event: int, **more: str | int | None) -> str:
    """Path of a session's WebSocket: `ws` or `listen`, with what the server is to know."""
    known = {"last_event": last_event} | {k: v for k, v in more.items() if v is not None}
    return f"{_SESSIONS}/{quote(session_id, safe='')}/{end}?{urlencode(known)}"


def _authorization(bearer: str | None) -> dict[str, str]:
    return {} if bearer is None else {"Authorization": f"Bearer {bearer}"}


def _understood(text: str) -> Fields:
    try:
        return Fields.read(text)
    except MessageError as error:
        raise SessionError("invalid_answer", str(error)) from error


def _refusal(response: aiohttp.ClientResponse, text: str) -> SessionError:
    try:
        error = failure_of(read_error(Fields.read(text)))
    except MessageError:
        failure = status_failure(response.status)
        error = failure or SessionError(
            "invalid_answer", f"the server answered with status {response.status}", retryable=True
        )
    if error.retry_after is None:
        error.retry_after = _seconds(response.headers.get("Retry-After"))
    return error


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdecimal() else None
