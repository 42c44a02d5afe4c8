"""The simulated store answers as the real one does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest
from tests.contract.stores import SID, chunk, final, session, span
from tests.redis_servers import RedisServer
from tests.simulation.chaos import Calm
from tests.simulation.processes import Process
from tests.simulation.store import (
    Server,
    SimLink,
    SimSessionStore,
    SimWindowStore,
    SimWorkerStore,
    SimWorkStore,
)
from tests.simulation.trace import Trace

from steno_common.messages import Completed, Ended, Partial, Statistics, Utterance
from steno_common.store.limits import Limits
from steno_common.store.link import open_link
from steno_common.store.sessions import SessionStore
from steno_common.store.windows import WindowStore
from steno_common.store.work import WorkStore
from steno_common.store.workers import Report, WorkerStore

LIMITS = Limits(shards=2, backlog_seconds=400 / 16_000, abandon_seconds=600)
TIMES = {"arrival_ms", "seen_ms", "late_ms", "mean_latency_ms", "now_ms", "waits", "token"}
"""What depends on the moment."""


class Stores:
    """All parts under one roof; every answer is kept without what depends on the moment."""

    def __init__(self, *parts: Any) -> None:
        self.gateway, self.work, self.windows, self.workers = parts
        self.answers: list[Any] = []

    async def ask(self, answer: Awaitable[Any]) -> Any:
        self.answers.append(timeless(found := await answer))
        return found


def timeless(value: Any) -> Any:
    """Give a value as plain data, times left out."""
    if isinstance(value, dict):
        return {key: timeless(each) for key, each in value.items() if key not in TIMES}
    if isinstance(value, list | tuple):
        return [timeless(each) for each in value]
    if isinstance(value, set):
        return sorted(value)
    plain = msgspec.to_builtins(value, builtin_types=(bytes,))
    return timeless(plain) if isinstance(plain, dict | list) else plain


async def conversation(stores: Stores) -> list[Any]:
    """A session from its creation to its transcript, with all that is asked on the way."""
    await before_commits(stores)
    await commits(stores)
    await the_end(stores)
    return stores.answers


async def before_commits(stores: Stores) -> None:
    ask, gateway, work, windows = stores.ask, stores.gateway, stores.work, stores.windows
    for _ in range(2):
        await ask(gateway.create(session(), "epoch"))
    await ask(gateway.snapshot("nobody"))
    await ask(gateway.attach("nobody"))
    await ask(gateway.attach(SID))
    await ask(work.waiting())
    await ask(gateway.append(SID, 1, [chunk(1), chunk(2), chunk(4), chunk(3), chunk(2)]))
    await ask(gateway.append(SID, 1, [chunk(4), chunk(5)]))
    await ask(gateway.append(SID, 9, [chunk(6)]))
    await ask(gateway.transition(SID, 1, "recording", ["connected"]))
    await ask(gateway.transition(SID, 1, "paused", ["connected"]))
    for behind in (3, 4, 5, 4):
        await ask(gateway.mark(SID, 1, "finalize", behind=behind))
    await ask(gateway.poll([(SID, 1), (SID, 2), ("nobody", 1)]))
    await ask(gateway.snapshot(SID))
    await ask(work.waiting())
    await ask(windows.due())
    await ask(windows.abandoned())


async def commits(stores: Stores) -> None:
    ask, gateway, work, windows = stores.ask, stores.gateway, stores.work, stores.windows
    (claim,) = await ask(work.claim(gateway.keys(SID), 5))
    await ask(work.waiting())
    await ask(work.checkpoint(SID))
    await ask(work.checkpoint("nobody"))
    await ask(work.read({SID: "0-0", "nobody": "0-0"}, 3))
    await ask(work.read({SID: "4-0"}, 3))
    first = span(1, "2-0", 200, speech=200, events=(final(0, 200),))
    for _ in range(2):
        await ask(work.commit(claim, first))
    await ask(work.commit(stale(claim), first))
    await ask(work.publish(SID, Partial("word", (), 200, 300, 1.0, 0.5, 3, 1)))
    await ask(work.renew([claim, stale(claim)]))
    await ask(work.checkpoint(SID))
    await ask(gateway.transition(SID, 1, "reconnecting", ["recording"]))
    await ask(gateway.attach(SID))
    await ask(work.release(claim))
    await ask(gateway.events(SID))
    await ask(gateway.events(SID, 1, 2))
    await ask(windows.window(SID))
    await ask(stores.workers.beat("a", Report(1, 2, strained=False)))
    await ask(stores.workers.beat("b", Report(3, 4, strained=True)))
    await ask(stores.workers.leave("b"))
    await ask(stores.workers.beat("a", Report(1, 2, strained=False)))


async def the_end(stores: Stores) -> None:
    ask, gateway, work, windows = stores.ask, stores.gateway, stores.work, stores.windows
    await ask(gateway.mark(SID, 2, "end", tail=bytes(20)))
    await ask(gateway.append(SID, 2, [chunk(6)]))
    (claim,) = await ask(work.claim(gateway.keys(SID), 5))
    await ask(
        work.commit(claim, span(2, "4-2", 410, silence=210, events=(Ended(410),), closing=True))
    )
    for shards in ([0], [1], None):
        await ask(windows.due(shards))
    window = await ask(windows.window(SID))
    said = Utterance(0, "word", 0, 200, 1.0, window.open_from, window.open_from)
    for _ in range(2):
        await ask(windows.close(SID, window, [said], 0))
    await ask(windows.defer(SID, 100, 1_000))
    await ask(windows.log(SID, 0, 100))
    statistics = Statistics(4, 410, 200, 210, 1, 1, 0)
    for _ in range(2):
        await ask(windows.complete(SID, Completed("word", statistics, ())))
    await ask(windows.due())
    await ask(windows.postpone(SID))
    await ask(windows.end_abandoned(SID))
    await ask(windows.remove(SID))
    await ask(gateway.attach(SID))
    for _ in range(2):
        await ask(gateway.remove(SID))
    await ask(windows.window(SID))


def stale(claim: Any) -> Any:
    """Give the claim of somebody who is not the newest owner."""
    return type(claim)(claim.session_id, claim.token + 7, claim.tries)


@pytest.fixture
async def real(redis_server: RedisServer) -> AsyncIterator[Stores]:
    async with open_link(redis_server.url) as link:
        parts = (SessionStore, WorkStore, WindowStore, WorkerStore)
        yield Stores(*(part(link, LIMITS) for part in parts))


async def test_a_conversation_has_the_same_answers(real: Stores) -> None:
    loop, calm = asyncio.get_running_loop(), Calm(0)
    link = SimLink(Server(loop, LIMITS, calm, Trace(loop, None)), Process("test"))
    parts: tuple[Callable[..., Any], ...] = (
        SimSessionStore, SimWorkStore, SimWindowStore, SimWorkerStore,
    )  # fmt: skip
    simulated = Stores(*(part(link, LIMITS) for part in parts))
    assert await conversation(simulated) == await conversation(real)
