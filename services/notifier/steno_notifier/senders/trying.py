"""One try of a delivery: within a limit, with a verdict whatever goes wrong on the way."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Final

import aiohttp

from steno_notifier.domain.answers import judge
from steno_notifier.domain.outgoing import Verdict


class RefusedError(Exception):
    """This destination is never tried; the text is the reason's code."""


class ForbiddenAddressError(OSError):
    """A host leads to an address that sessions may not make Steno connect to."""

    def __init__(self) -> None:
        super().__init__("an address that is not for sessions")


class RedirectedError(aiohttp.ClientError):
    """A receiver points elsewhere."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


BROKEN: Final = Verdict("again", "broken_answer")


async def tried(work: Awaitable[Verdict], seconds: float) -> Verdict:
    """Await a try for so long at most."""
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        return Verdict("again", "timeout")
    except RefusedError as error:
        return Verdict("never", str(error))
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, UnicodeError):
        return Verdict("never", "bad_url")
    except RedirectedError as error:
        return judge(error.status)
    except (aiohttp.ClientError, OSError) as error:
        return _failed(error)


def _failed(error: aiohttp.ClientError | OSError) -> Verdict:
    if isinstance(error, aiohttp.WSServerHandshakeError):
        # Success without a WebSocket is no success.
        later = error.headers.get("Retry-After", "") if error.headers else ""
        return judge(error.status, later, time.time()) if error.status >= 300 else BROKEN
    if isinstance(error, aiohttp.ClientConnectorError):
        if isinstance(error.os_error, ForbiddenAddressError):
            return Verdict("never", "forbidden_address")
        return Verdict("again", "tls" if isinstance(error, aiohttp.ClientSSLError)
                       else "unreachable")  # fmt: skip
    return BROKEN if isinstance(error, aiohttp.ClientResponseError) else Verdict("again", "lost")
