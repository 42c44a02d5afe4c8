"""One way to talk to Redis: bounded waits, no hidden retries, typed failure."""

import asyncio
import importlib.resources
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError, ResponseError

from steno_common.errors import StoreError, StoreUnavailableError

ANSWER_SECONDS: Final = 2.0
FIRST_PAUSE_SECONDS: Final = 0.05
LONGEST_PAUSE_SECONDS: Final = 1.0

# What the server says while it starts, fails over or is full: the same call can succeed later.
_PASSING: Final = {"LOADING", "BUSY", "READONLY", "MASTERDOWN", "TRYAGAIN", "CLUSTERDOWN", "OOM",
                   "NOREPLICAS", "MISCONF", "UNBLOCKED", "NOSCRIPT"}  # fmt: skip

# Redis 6.2 wraps the error of a command in that of the script; redis-py does so in a pipeline.
_CODE: Final = re.compile(r"(?:Error running script .*: -|Command # .* error: \(.)?([A-Z]+)\b")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One script with its keys and arguments."""

    script: str
    keys: Sequence[str]
    args: Sequence[str | int | bytes]


@cache
def source(script: str) -> str:
    """Give the Lua text of a script with what it stands on."""
    folder = importlib.resources.files("steno_common.store") / "lua"
    parts = ["prelude"] if script in {"claim", "renew", "beat"} else ["prelude", "session"]
    return "\n".join((folder / f"{name}.lua").read_text() for name in [*parts, script])


def _failure(error: Exception) -> StoreError:
    """Say whether the same call may be repeated; no text of a reply goes into the message."""
    if isinstance(error, ResponseError):
        found = _CODE.match(str(error))
        known = None if error.status_code == "ERR" else error.status_code
        code = known or (found[1] if found else "ERR")
        if code not in _PASSING:
            return StoreError(f"Redis refused: {code}")
    return StoreUnavailableError(f"Redis does not answer: {type(error).__name__}")


@dataclass(slots=True)
class Link:
    """Connections of one process to one Redis.

    redis-py repeats timed-out commands ten times by default, and so doubles writes: here nothing
    is repeated behind the caller's back. Each call ends within ANSWER_SECONDS, but for blocking
    reads and pub/sub, which have connections of their own: they wait as long as the caller says.
    """

    data: Redis
    blocking: Redis
    _shas: dict[str, str] = field(default_factory=dict)

    async def run(self, call: Call) -> Any:
        """Run one script; raises StoreUnavailableError or StoreError."""
        return (await self.run_all([call]))[0]

    async def run_all(self, calls: Sequence[Call]) -> list[Any]:
        """Run scripts in order in one round trip; raises the first failure after all have run."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answers = await self._pipeline(calls)
                if any(isinstance(answer, NoScriptError) for answer in answers):
                    self._shas.clear()
                    answers = await self._pipeline(calls)
        except (RedisError, OSError, TimeoutError) as error:
            raise _failure(error) from error
        for answer in answers:
            if isinstance(answer, Exception):
                raise _failure(answer) from answer
        return answers

    async def _pipeline(self, calls: Sequence[Call]) -> list[Any]:
        for script in {call.script for call in calls} - self._shas.keys():
            self._shas[script] = await self.data.script_load(source(script))
        async with self.data.pipeline(transaction=False) as pipe:
            for call in calls:
                pipe.evalsha(self._shas[call.script], len(call.keys), *call.keys, *call.args)
            return await pipe.execute(raise_on_error=False)

    async def ask(self, command: Callable[[Any], Awaitable[Any]]) -> Any:
        """Run a plain command, with the same failures as a script; the caller knows its reply."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await command(self.data)
        except (RedisError, OSError, TimeoutError) as error:
            raise _failure(error) from error

    async def wait(self, command: Callable[[Any], Awaitable[Any]]) -> Any:
        """Run a blocking read, on the connections that may wait."""
        try:
            return await command(self.blocking)
        except (RedisError, OSError, TimeoutError) as error:
            raise _failure(error) from error

    async def ping(self, seconds: float = 1.0) -> bool:
        """Say whether Redis answers within `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                return bool(await self.ask(lambda redis: redis.ping()))
        except (TimeoutError, StoreError):
            return False

    def pubsub(self) -> PubSub:
        """Give a subscription; messages may be lost silently, so nothing may depend on them."""
        return self.blocking.pubsub(ignore_subscribe_messages=True)


async def patiently(operation: Callable[[], Awaitable[T]], seconds: float | None = None) -> T:
    """Repeat an idempotent operation until it succeeds, within `seconds` where given.

    Raises StoreUnavailableError once the time is over, and any other error at once.
    """
    clock = asyncio.get_running_loop().time
    deadline = None if seconds is None else clock() + seconds
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            return await operation()
        except StoreUnavailableError:
            if deadline is not None and clock() + pause > deadline:
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


@asynccontextmanager
async def open_link(url: str) -> AsyncIterator[Link]:
    """Open the connections of a process; nothing is sent before the first call."""
    # RESP2: with RESP3 redis-py 8.1 hands out dead pooled connections after a server restart.
    # No limit on the sockets: redis-py would keep it with `wait_for`, which in Python 3.11 swallows
    # a cancellation that arrives together with the result. The link limits each call itself.
    common: dict[str, Any] = {
        "protocol": 2,
        "socket_connect_timeout": ANSWER_SECONDS,
        "retry": Retry(NoBackoff(), 0),
        "timeout": ANSWER_SECONDS,
    }
    data = Redis.from_pool(
        BlockingConnectionPool.from_url(url, max_connections=32, socket_timeout=None, **common)
    )
    blocking = Redis.from_pool(
        BlockingConnectionPool.from_url(
            url, max_connections=64, socket_timeout=None, health_check_interval=10, **common
        )
    )
    try:
        yield Link(data, blocking)
    finally:
        await data.aclose()
        await blocking.aclose()
