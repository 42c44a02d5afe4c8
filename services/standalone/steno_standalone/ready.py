"""Waiting until Redis or the services answer."""

import asyncio
from collections.abc import Sequence

import aiohttp
from redis.exceptions import AuthenticationError

from steno_common.errors import StoreError
from steno_common.store.link import open_link
from steno_standalone.errors import NoRedisError, NotReadyError
from steno_standalone.supervised import Supervised

READY_SECONDS = 120.0
"""A small machine takes half a minute, a busy one longer; who keeps ending is named at once."""
CRASH_LOOP = 5
_BETWEEN_QUESTIONS_SECONDS = 0.05
_ANSWER_SECONDS = 2.0


async def redis_answers(url: str, seconds: float) -> None:
    """Wait until the Redis at `url` answers; of several, one of them.

    Raises NoRedisError when it does not within `seconds` or refuses the password.
    """
    fault: BaseException | None = None
    try:
        async with asyncio.timeout(seconds), open_link(url) as link:
            while True:
                try:
                    await link.everywhere(lambda pipe: pipe.ping())
                    return
                except StoreError as error:
                    fault = error.__cause__
                if isinstance(fault, AuthenticationError):
                    break
                await asyncio.sleep(_BETWEEN_QUESTIONS_SECONDS)
    except TimeoutError as error:
        raise NoRedisError(f"Redis does not answer: {fault or error}") from error
    raise NoRedisError(f"Redis does not answer: {fault}") from fault


async def services_ready(running: Sequence[tuple[str, Supervised]]) -> None:
    """Wait until every service says that it is ready, on the page named beside it.

    Raises NotReadyError, with the last lines of the one to blame, when one does not within
    READY_SECONDS or keeps ending.
    """
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(_ANSWER_SECONDS)) as http:
        waiting = list(running)
        try:
            async with asyncio.timeout(READY_SECONDS):
                while waiting:
                    waiting = [
                        (page, supervised)
                        for page, supervised in waiting
                        if not await is_ready(http, page)
                    ]
                    _refuse_crash_loop(waiting)
                    await asyncio.sleep(_BETWEEN_QUESTIONS_SECONDS if waiting else 0)
        except TimeoutError:
            raise _not_ready(waiting[0][1], f"not ready within {READY_SECONDS:g} s") from None


async def is_ready(http: aiohttp.ClientSession, url: str) -> bool:
    """Ask a page once whether all is well; who does not answer is not ready."""
    try:
        # A certificate is for the name that clients use, not for this address; nothing is told.
        async with http.get(url, ssl=False) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


def _refuse_crash_loop(waiting: Sequence[tuple[str, Supervised]]) -> None:
    for _, supervised in waiting:
        if supervised.restarts.in_a_row >= CRASH_LOOP:
            raise _not_ready(supervised, "keeps ending")


def _not_ready(supervised: Supervised, fault: str) -> NotReadyError:
    return NotReadyError(f"{supervised.name} {fault}. Its last lines:\n{supervised.last_lines}")
