"""One Redis at one address, with the connections of this process to it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError

from steno_common.errors import StoreError
from steno_common.keys import ShardKeys
from steno_common.store.failures import FAILURES, FewReplicasError, failure
from steno_common.store.scripts import Call, load
from steno_common.telemetry import redis_answered, redis_failed

Fill = Callable[[Pipeline], object]
"""Puts commands into a pipeline; each gives one answer."""

CONNECTIONS: Final = 32
WAITING_CONNECTIONS: Final = 256
"""The same where answers wait for replicas: each holds its connection meanwhile."""
BLOCKING_CONNECTIONS: Final = 1024
SEAL_MS: Final = 3_600_000
"""A seal that nobody renews disappears after this."""


def connection_options(connect_seconds: float) -> dict[str, Any]:
    """Give what all connections of Steno have in common."""
    # RESP2: with RESP3 redis-py 8.1 hands out dead pooled connections after a server restart.
    # No limit on the sockets: who asks limits each call itself.
    return {
        "protocol": 2,
        "socket_timeout": None,
        "socket_connect_timeout": connect_seconds,
        "retry": Retry(NoBackoff(), 0),
    }


class Node:
    """A Redis that holds shards; `replicas` must have all that an answer stands on.

    Nothing is repeated: each question ends within `answer_seconds`.
    """

    def __init__(self, url: str, replicas: int, answer_seconds: float) -> None:
        common = connection_options(answer_seconds) | {"timeout": answer_seconds}
        count = WAITING_CONNECTIONS if replicas else CONNECTIONS
        self.data = Redis.from_pool(
            BlockingConnectionPool.from_url(url, max_connections=count, **common)
        )
        """For questions."""
        self.blocking = Redis.from_pool(
            BlockingConnectionPool.from_url(
                url, max_connections=BLOCKING_CONNECTIONS, health_check_interval=10, **common
            )
        )
        """For blocking reads and subscriptions, which wait as long as the caller says."""
        self.away = False
        """Whether it did not answer the last question."""
        self._replicas = replicas
        self._seconds = answer_seconds

    async def run(self, calls: Sequence[Call]) -> list[Any] | StoreError:
        """Run scripts in order in one round trip; gives what each answers, or a StoreError.

        Gives one StoreError for all when there is no answer.
        """

        def put(pipe: Pipeline) -> None:
            for call in calls:
                call.put(pipe)

        async def answers() -> list[Any]:
            found = await self._trip(put, calls[0].shard)
            if any(isinstance(answer, NoScriptError) for answer in found):
                await self._trip(lambda pipe: load(pipe, calls), None)
                found = await self._trip(put, calls[0].shard)
            return found

        return await self._told(calls[0].script, answers())

    async def ask(self, fill: Fill, shard: int | None) -> list[Any] | StoreError:
        """Make plain commands in one round trip; gives all answers, or the first failure.

        Without a shard they concern no state that must be kept: no replica is waited for.
        """
        answers = await self._told("command", self._trip(fill, shard))
        if isinstance(answers, StoreError):
            return answers
        return next((each for each in answers if isinstance(each, StoreError)), answers)

    async def _told(self, name: str, asking: Awaitable[list[Any]]) -> list[Any] | StoreError:
        began = time.perf_counter()
        try:
            async with asyncio.timeout(self._seconds):
                answers = await asking
        except FAILURES as error:
            self.away = True
            return _counted(name, error)
        self.away = False
        redis_answered(name, time.perf_counter() - began)
        return [_counted(name, each) if isinstance(each, Exception) else each for each in answers]

    async def _trip(self, fill: Fill, shard: int | None) -> list[Any]:
        """Make one round trip; errors of single commands are among the answers.

        With replicas nothing is given before they have everything that the answers stand on,
        whoever wrote it.
        """
        async with self.data.pipeline(transaction=False) as pipe:
            fill(pipe)
            if not self._replicas or shard is None:
                return await pipe.execute(raise_on_error=False)
            # WAIT waits for what its own connection wrote last; newer servers forget what came
            # before if that connection only read. So each round trip ends with a write: one that
            # takes no memory, so that a full Redis does not refuse it.
            seal = ShardKeys(shard).seal
            pipe.set(seal, "", nx=True, px=SEAL_MS)
            pipe.pexpire(seal, SEAL_MS)
            pipe.execute_command("WAIT", self._replicas, round(self._seconds * 500))
            *answers, _, sealed, copies = await pipe.execute(raise_on_error=False)
        for refused in (sealed, copies):
            if isinstance(refused, Exception):
                raise refused
        if not sealed or copies < self._replicas:
            raise FewReplicasError
        return answers

    async def aclose(self) -> None:
        """Close all connections; whoever still waits on one fails."""
        await asyncio.gather(self.data.aclose(), self.blocking.aclose())


def _counted(name: str, error: Exception) -> StoreError:
    failed = failure(error)
    redis_failed(name, failed)
    return failed
