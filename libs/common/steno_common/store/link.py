"""One way to talk to Redis: bounded waits, no hidden retries, typed failure."""

import asyncio
import itertools
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final, TypeVar

from redis.asyncio.client import Pipeline, PubSub

from steno_common.errors import StoreError, StoreUnavailableError
from steno_common.store.addresses import parse
from steno_common.store.atlas import Atlas
from steno_common.store.discovery import discovery
from steno_common.store.failures import FAILURES, NowhereError, failure
from steno_common.store.node import Fill, Node
from steno_common.store.scripts import Call
from steno_common.store.together import Ask, Said, together

ANSWER_SECONDS: Final = 2.0
FIRST_PAUSE_SECONDS: Final = 0.05
LONGEST_PAUSE_SECONDS: Final = 1.0

K = TypeVar("K")
T = TypeVar("T")


class Link:
    """Connections of one process to every Redis of the installation.

    redis-py repeats timed-out commands ten times by default, and so doubles writes: here nothing
    is repeated behind the caller's back. Each call ends within ANSWER_SECONDS, but for blocking
    reads and pub/sub, which have connections of their own: they wait as long as the caller says.

    The atlas says where a shard is. It looks anew after every failure, so that a caller that
    repeats its call finds a shard that has moved.
    """

    def __init__(self, atlas: Atlas) -> None:
        self.atlas = atlas

    async def run(self, call: Call) -> Any:
        """Run one script; raises StoreUnavailableError or StoreError."""
        return (await self.run_all([call]))[0]

    async def run_all(self, calls: Sequence[Call]) -> list[Any]:
        """Run scripts, those of one Redis in order and in one round trip.

        Raises the first failure after all have run.
        """
        return _sound(await self._run(calls, patient=True))

    async def try_all(self, calls: Sequence[Call]) -> list[Any]:
        """Run scripts likewise; where a Redis is away, the answer is a StoreUnavailableError.

        Raises it when all are away.
        """
        answers = await self._run(calls, patient=False)
        _heard(dict(enumerate(answers)))
        return answers

    async def ask(self, shard: int, fill: Fill) -> list[Any]:
        """Make plain commands in one round trip to the Redis of a shard; gives their answers.

        The failures are those of a script; the caller knows the replies.
        """
        ((_, answers),) = await self.each([shard], lambda pipe, _: fill(pipe))
        return answers

    async def each(
        self, shards: Iterable[int], fill: Callable[[Pipeline, Sequence[int]], object]
    ) -> list[tuple[Sequence[int], list[Any]]]:
        """Make plain commands in one round trip to every Redis that holds some of these shards.

        `fill` gets the shards that live together. Gives them with the answers of every Redis that
        answers; raises StoreUnavailableError when none does.
        """
        groups = await self._groups(shards)
        asks = {
            node: partial(node.ask, partial(_fill_for, fill, held), held[0])
            for node, held in groups.items()
        }
        said = await self._together(asks, patient=False)
        return [(groups[node], answers) for node, answers in _heard(said).items()]

    async def everywhere(self, fill: Fill) -> list[list[Any]]:
        """Make plain commands on every Redis; gives the answers of those that answer.

        For what is no state of a session: no replica is waited for.
        """
        async with _guarded(self.atlas):
            nodes = await self.atlas.all_nodes()
        asks = {node: partial(node.ask, fill, None) for node in nodes}
        return list(_heard(await self._together(asks, patient=False)).values())

    async def sites(self, shards: Iterable[int]) -> list[list[int]]:
        """Group shards by the Redis that they live on; raises StoreUnavailableError."""
        return list((await self._groups(shards)).values())

    async def wait(self, shards: Sequence[int], command: Callable[[Any], Awaitable[Any]]) -> Any:
        """Make a blocking read of shards that one command may touch."""
        async with _guarded(self.atlas):
            node = await self.atlas.node(shards[0])
            return await command(node.blocking)

    @asynccontextmanager
    async def pubsub(self, shard: int) -> AsyncIterator[PubSub]:
        """Hold a subscription at the Redis of a shard; raises StoreUnavailableError.

        Messages may be lost silently, so nothing may depend on them.
        """
        async with _guarded(self.atlas):
            node = await self.atlas.node(shard)
            async with node.blocking.pubsub(ignore_subscribe_messages=True) as pubsub:
                yield pubsub

    async def ping(self, seconds: float = 1.0) -> bool:
        """Say whether any Redis answers within `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                return bool(await self.everywhere(lambda pipe: pipe.ping()))
        except (TimeoutError, StoreError):
            return False

    async def memory(self) -> list[float]:
        """Give the share of its `maxmemory` that each Redis uses; one without a bound has none.

        Raises StoreError where the user of the link may not ask.
        """
        ratios = []
        for (told,) in await self.everywhere(lambda pipe: pipe.info("memory")):
            # As Redis counts it: without what it buffers for its log and its replicas.
            used = int(told["used_memory"]) - int(told.get("mem_not_counted_for_evict", 0))
            bound = int(told.get("maxmemory", 0))
            if bound:
                ratios.append(used / bound)
        return ratios

    async def _groups(self, shards: Iterable[int]) -> dict[Node, list[int]]:
        try:
            return await self.atlas.nodes(shards)
        except NowhereError as error:
            raise failure(error) from error

    async def _together(self, asks: Mapping[Node, Ask], *, patient: bool) -> dict[Node, Said]:
        said = await together(asks, patient=patient)
        answers = (each if isinstance(each, list) else [each] for each in said.values())
        if any(isinstance(each, StoreUnavailableError) for some in answers for each in some):
            self.atlas.look_anew()
        return said

    async def _run(self, calls: Sequence[Call], *, patient: bool) -> list[Any]:
        """Give the answer of each call, or its StoreError."""
        groups = await self._groups(dict.fromkeys(call.shard for call in calls))
        asks = {
            node: partial(node.run, [call for call in calls if call.shard in held])
            for node, held in groups.items()
        }
        said = await self._together(asks, patient=patient)
        # A Redis answers its calls in their order, all shards that live there in turn.
        answers: dict[int, Iterator[Any]] = {}
        for node, told in said.items():
            each = itertools.repeat(told) if isinstance(told, StoreError) else iter(told)
            answers |= dict.fromkeys(groups[node], each)
        return [next(answers[call.shard]) for call in calls]


@asynccontextmanager
async def _guarded(atlas: Atlas) -> AsyncIterator[None]:
    try:
        yield
    except FAILURES as error:
        atlas.look_anew()
        raise failure(error) from error


def _fill_for(
    fill: Callable[[Pipeline, Sequence[int]], object], held: Sequence[int], pipe: Pipeline
) -> None:
    fill(pipe, held)


def _sound(answers: list[Any]) -> list[Any]:
    """Raise the first failure among answers."""
    for answer in answers:
        if isinstance(answer, StoreError):
            raise answer
    return answers


def _heard(said: Mapping[K, Any]) -> dict[K, Any]:
    """Leave out those who are away; raise what is no absence, or that all are away."""
    errors = [each for each in said.values() if isinstance(each, StoreError)]
    for error in errors:
        if not error.retryable or len(errors) == len(said):
            raise error
    return {place: each for place, each in said.items() if not isinstance(each, StoreError)}


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
async def open_link(url: str, *, replicas: int = 0) -> AsyncIterator[Link]:
    """Open the connections of a process; nothing is sent before the first call.

    Every answer waits until `replicas` replicas have what it stands on. Raises SettingsError for an
    address that cannot be read.
    """
    atlas = Atlas(discovery(parse(url)), replicas, ANSWER_SECONDS)
    try:
        yield Link(atlas)
    finally:
        await atlas.aclose()
