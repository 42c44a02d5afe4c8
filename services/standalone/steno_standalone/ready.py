"""Waiting until Redis or the services answer."""

import asyncio
from collections.abc import Sequence

import aiohttp
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError

from steno_standalone.errors import NoRedisError, NotReadyError
from steno_standalone.supervised import Supervised

READY_SECONDS = 30.0
CRASH_LOOP = 5
_BETWEEN_QUESTIONS_SECONDS = 0.05
_ANSWER_SECONDS = 2.0


async def redis_answers(url: str, seconds: float) -> None:
    """Wait until the Redis at `url` answers.

    Raises NoRedisError when it does not within `seconds` or refuses the password.
    """
    client = redis.asyncio.Redis.from_url(
        url, socket_timeout=_ANSWER_SECONDS, retry=Retry(NoBackoff(), 0)
    )
    fault: Exception | None = None
    try:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    await client.ping()
                    return
                except AuthenticationError:
                    raise
                except (RedisError, OSError) as error:
                    fault = error
                await asyncio.sleep(_BETWEEN_QUESTIONS_SECONDS)
    except (TimeoutError, AuthenticationError) as error:
        raise NoRedisError(f"Redis does not answer: {fault or error}") from error
    finally:
        await client.aclose()


async def services_ready(running: Sequence[tuple[str, Supervised]]) -> None:
    """Wait until every service says that it is ready, on the page named beside it.

    Raises NotReadyError, with the last lines of the one to blame, when one does not within 30 s or
    keeps ending.
    """
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(_ANSWER_SECONDS)) as http:
        waiting = list(running)
        try:
            async with asyncio.timeout(READY_SECONDS):
                while waiting:
                    waiting = [
                        (page, supervised)
                        for page, supervised in waiting
                        if not await _is_ready(http, page)
                    ]
                    _refuse_crash_loop(waiting)
                    await asyncio.sleep(_BETWEEN_QUESTIONS_SECONDS if waiting else 0)
        except TimeoutError:
            raise _not_ready(waiting[0][1], f"not ready within {READY_SECONDS:g} s") from None


async def _is_ready(http: aiohttp.ClientSession, url: str) -> bool:
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
