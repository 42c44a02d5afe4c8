"""One failover: sessions that store audio, a master that goes with its machine, what is left."""

import asyncio
import statistics
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from bench.failover.cluster import Nodes, cluster
from bench.failover.direct import Direct
from bench.failover.sentinels import Watched, watched
from bench.failover.servers import HOST, Port, Server, free_ports
from bench.failover.speaker import Speaker
from bench.network.proxy import Proxy, Way, proxy
from redis.crc import key_slot

from steno_common.messages import Session
from steno_common.store.addresses import parse
from steno_common.store.atlas import Atlas
from steno_common.store.discovery import discovery
from steno_common.store.limits import Limits
from steno_common.store.link import ANSWER_SECONDS, Link, patiently
from steno_common.store.sessions import SessionStore
from steno_common.store.work import WorkStore

Form = Literal["sentinel", "cluster"]
LIMITS: Final = Limits(backlog_seconds=3600)
RECOVERY_SECONDS: Final = 90.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is tried."""

    form: Form
    replicas: int
    """How many must have what is acknowledged; the set has two of the master that goes."""
    delay: float = 0.03
    """Seconds that replication takes one way."""
    sessions: int = 8
    per_second: float = 25.0
    """Chunks of each session."""
    before: float = 1.5
    after: float = 1.0
    """Seconds of load on either side of the failover."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it."""

    appended: int
    """Chunks acknowledged as new by the master they are on at the end."""
    acknowledged: int
    lost: int
    """Acknowledged chunks that the new master lacked."""
    doubled: int
    """Chunks that are stored twice."""
    outage: float
    """Longest time, in seconds, in which a session got no acknowledgement."""
    median_append_ms: float


async def run(binary: str, plan: Plan) -> Result:
    """Make a set of servers, put load on one master, take its machine away, go on."""
    async with _machines(binary, plan) as (servers, cables), AsyncExitStack() as stack:
        straight = {server.announced: server.port for server in servers.servers}
        found = Direct(discovery(parse(servers.url)), straight)
        atlas = Atlas(found, plan.replicas, ANSWER_SECONDS)
        stack.push_async_callback(atlas.aclose)
        link = Link(atlas)
        victim = await asyncio.to_thread(_victim, servers)
        told = asyncio.Event()
        speakers = [
            Speaker(SessionStore(link, LIMITS), session_id, told, 1 / plan.per_second,
                    number / plan.per_second / plan.sessions)
            for number, session_id in enumerate(await _sessions(link, servers, victim, plan))
        ]  # fmt: skip
        tasks = [asyncio.create_task(each.speak(), name="speaker") for each in speakers]
        stack.callback(_cancel, tasks)
        await asyncio.sleep(plan.before)
        # Right after an acknowledgement: what it stands on is under way to the replicas, if it was
        # not waited for.
        told.clear()
        await told.wait()
        _cut(cables[victim.announced])
        await asyncio.to_thread(victim.kill)
        gone = asyncio.get_running_loop().time()
        async with asyncio.timeout(RECOVERY_SECONDS):
            while any(each.heard < gone + 0.1 for each in speakers):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await asyncio.sleep(plan.after)
        _cancel(tasks)
        await asyncio.wait(tasks)
        return await _judge(link, speakers)


def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()


@asynccontextmanager
async def _machines(
    binary: str, plan: Plan
) -> AsyncIterator[tuple[Watched | Nodes, Mapping[int, Proxy]]]:
    """Run the servers, each behind a cable of its own for everybody but the gateway."""
    count = 3 if plan.form == "sentinel" else 5
    numbers = free_ports(2 * count)
    ports: list[Port] = list(zip(numbers[:count], numbers[count:], strict=True))
    async with AsyncExitStack() as stack:
        cables = {
            announced: await stack.enter_async_context(proxy(f"{HOST}:{port}", port=announced))
            for port, announced in ports
        }
        for cable in cables.values():
            cable.both(Way(plan.delay))
        with ExitStack() as servers:

            def run() -> Watched | Nodes:
                if plan.form == "sentinel":
                    return servers.enter_context(watched(binary, ports))
                return servers.enter_context(cluster(binary, ports, replicas_of=(0, 0)))

            yield await asyncio.to_thread(run), cables
            # Those that are left have nobody to tell any more.
            for cable in cables.values():
                _cut(cable)


def _cut(cable: Proxy) -> None:
    """Lose what is under way, and let nothing pass any more."""
    cable.refuse()
    cable.cut()


def _victim(servers: Watched | Nodes) -> Server:
    return servers.master() if isinstance(servers, Watched) else servers.servers[0]


async def _sessions(link: Link, servers: Watched | Nodes, victim: Server, plan: Plan) -> list[str]:
    """Make sessions that live on the server that will go."""
    store = SessionStore(link, LIMITS)
    made: list[str] = []
    while len(made) < plan.sessions:
        session_id = str(uuid.uuid4())
        slot = key_slot(store.keys(session_id).waiting.encode())
        if isinstance(servers, Nodes) and await asyncio.to_thread(servers.holder, slot) != victim:
            continue
        session = Session(session_id, 1_700_000_000_000, "audio/pcm")
        await patiently(partial(store.create, session, "epoch"), 10)
        await patiently(partial(store.attach, session_id), 10)
        made.append(session_id)
    return made


async def _judge(link: Link, speakers: Sequence[Speaker]) -> Result:
    work = WorkStore(link, LIMITS)
    lost, doubled, stored = sum(each.lost for each in speakers), 0, 0
    for each in speakers:
        read = await patiently(partial(work.read, {each.session_id: "0-0"}, 100_000), 10)
        found = Counter(
            int.from_bytes(entry.pcm, "little") for entry in read.get(each.session_id, ())
        )
        lost += sum(number not in found for number in range(1, each.acknowledged + 1))
        doubled += sum(times - 1 for times in found.values())
        stored += len(found)
    took = [seconds for each in speakers for seconds in each.took]
    return Result(
        appended=stored,
        acknowledged=sum(each.high for each in speakers),
        lost=lost,
        doubled=doubled,
        outage=max(each.silent for each in speakers),
        median_append_ms=1000 * statistics.median(took),
    )
