"""Several Redis and what may happen to one of them: shards that move, that are away, that wait."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from functools import partial

import pytest
from bench.failover.sentinels import Watched, watched
from bench.failover.servers import Server, plain_ports, until
from redis.crc import key_slot
from tests.contract.stores import LIMITS, SID, Stores, chunk, frozen, session, span
from tests.redis_servers import RedisServer, RedisServers
from tests.redis_topologies import ClusterServer, Form, SeveralServers, binaries

from steno_common.errors import StoreUnavailableError
from steno_common.keys import WAKE_CHANNEL
from steno_common.store import link as link_module
from steno_common.store.link import Link, open_link, patiently
from steno_common.store.sessions import Outcome
from steno_common.store.sites import Site, at_each_site
from steno_common.store.workers import Report, WorkerStore
from steno_standalone.domain.binaries import Binary

OTHER = "22222222-2222-4222-8222-222222222222"
"""A session of the other shard."""


@pytest.fixture
async def several(redis_servers: RedisServers) -> AsyncIterator[Stores]:
    """Two independent Redis with a shard each: that of SID lives on the first or the second."""
    server = redis_servers.clean(Form("several"))
    async with open_link(server.url) as link:
        stores = Stores(server, link, LIMITS)
        assert {stores.keys().shard, stores.keys(OTHER).shard} == {0, 1}
        yield stores


def home(stores: Stores, session_id: str) -> RedisServer:
    """Give the server of a session."""
    assert isinstance(stores.server, SeveralServers)
    return stores.server.parts[stores.keys(session_id).shard]


@pytest.fixture
async def clustered(redis_servers: RedisServers) -> AsyncIterator[Stores]:
    """A Cluster of three masters."""
    server = redis_servers.clean(Form("cluster"))
    async with open_link(server.url) as link:
        yield Stores(server, link, LIMITS)


async def test_shards_of_several_live_where_their_number_says(several: Stores) -> None:
    for session_id in (SID, OTHER):
        await several.connect(session_id)
        with home(several, session_id).client() as client:
            assert client.exists(several.keys(session_id).meta) == 1


@pytest.mark.parametrize("gone", ["killed", "frozen"])
async def test_one_of_several_that_is_gone_stops_nothing_of_the_others(
    several: Stores, gone: str
) -> None:
    for session_id in (SID, OTHER):
        await several.connect(session_id)
        await several.store(1, session_id=session_id)
    claims = [await several.claim(session_id) for session_id in (SID, OTHER)]
    workers = WorkerStore(several.link, several.limits)
    await workers.beat("dead", Report(1, 1, strained=False))
    with frozen(home(several, OTHER)) if gone == "frozen" else killed(home(several, OTHER)):
        async with asyncio.timeout(60):
            (mine, other) = await several.sessions.poll([(SID, 1), (OTHER, 1)])
            assert mine is not None
            assert (mine.outcome, other) == (Outcome.DONE, None)
            await several.store(2)
            read = await several.work.read({SID: "1-0", OTHER: "0-0"}, 10)
            assert {sid: [entry.sequence for entry in read[sid]] for sid in read} == {SID: [2]}
            assert await several.work.renew(claims) == set()
            await several.work.release(claims[0])
            assert [list(each.waits) for each in await several.work.waiting()] == [[SID]]
            await several.redis("ZADD", several.keys().due, 1, SID)
            assert [due.session_id for due in await several.windows.due()] == [SID]
            assert set((await workers.beat("one", Report(1, 1, strained=False))).others) == {"dead"}
            assert await several.link.ping()
            await workers.leave("one")
        with pytest.raises(StoreUnavailableError):
            await several.store(2, session_id=OTHER)
    await patiently(partial(several.store, 2, session_id=OTHER), 60)
    assert [entry[0] for entry in (await several.look(OTHER)).audio] == ["1-0", "2-0"]


class killed:  # noqa: N801 - beside `frozen`
    """A server that is dead for a while."""

    def __init__(self, server: RedisServer) -> None:
        self.server = server

    def __enter__(self) -> None:
        self.server.kill()

    def __exit__(self, *_: object) -> None:
        self.server.start()


async def test_one_that_does_not_answer_costs_the_others_time_only_once(several: Stores) -> None:
    await several.connect()
    clock = asyncio.get_running_loop().time
    with frozen(home(several, OTHER)):
        await several.work.waiting()
        began = clock()
        for _ in range(5):
            await several.work.waiting()
        assert clock() - began < 1


async def test_work_goes_on_at_each_redis_by_itself(several: Stores) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue(100)

    async def hear(site: Site) -> None:
        while True:
            for session_id, _ in await patiently(partial(several.doorbell.read, site, 50)):
                await heard.put(session_id)

    await several.doorbell.prepare()
    work = at_each_site(several.link, several.work.shards, hear, one_command=True)
    task = asyncio.create_task(work)
    with killed(home(several, OTHER)):
        async with asyncio.timeout(60):
            for _ in range(3):
                await several.sessions.remove(SID)
                assert await heard.get() == SID
    async with asyncio.timeout(60):
        while heard.empty():
            await patiently(partial(several.sessions.remove, OTHER))
            await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.wait([task])


async def test_a_shard_of_a_cluster_that_moved_is_found_with_all_it_has(clustered: Stores) -> None:
    assert isinstance(clustered.server, ClusterServer)
    nodes = clustered.server.nodes
    slot = key_slot(clustered.keys().waiting.encode())
    source = nodes.holder(slot)
    target = next(server for server in nodes.servers if server is not source)
    await clustered.connect()
    await clustered.store(1)
    sites: asyncio.Queue[Site] = asyncio.Queue()

    async def note(site: Site) -> None:
        await sites.put(site)
        await asyncio.Event().wait()

    work = asyncio.create_task(at_each_site(clustered.link, range(64), note))
    before = {await sites.get() for _ in range(3)}
    nodes.move(slot, target)
    try:
        with pytest.raises(StoreUnavailableError):
            await clustered.store(2)
        await patiently(partial(clustered.store, 2), 60)
        await clustered.store(1, 2, 3)
        assert [entry[0] for entry in (await clustered.look()).audio] == ["1-0", "2-0", "3-0"]
        async with asyncio.timeout(60):
            after = {await sites.get(), await sites.get()}
        assert not after & before
        assert sum(clustered.keys().shard in site for site in after) == 1
        heir = await clustered.link.atlas.node(clustered.keys().shard)
        port = heir.data.connection_pool.connection_kwargs["port"]
        assert port == target.port
    finally:
        work.cancel()
        await asyncio.wait([work])
        nodes.move(slot, source)


async def test_who_begins_to_wait_is_heard_at_every_node_of_a_cluster(clustered: Stores) -> None:
    async with clustered.link.pubsub(clustered.keys(OTHER).shard) as elsewhere:
        await elsewhere.subscribe(WAKE_CHANNEL)
        await elsewhere.get_message(timeout=60)
        await clustered.connect()
        await clustered.store(1)
        heard = [await elsewhere.get_message(timeout=seconds) for seconds in (60, 1)]
    assert [each["data"] for each in heard if each] == [SID.encode()]
    places = [await clustered.link.atlas.node(clustered.keys(sid).shard) for sid in (SID, OTHER)]
    assert places[0] is not places[1]


async def test_a_session_goes_on_when_sentinels_choose_another_master() -> None:
    if not binaries():
        pytest.skip("no server program found: install redis-server")
    with watched(binaries()[0].path, plain_ports(2), sentinels=1) as servers:
        async with open_link(servers.url) as link:
            stores = Stores(None, link, LIMITS)  # type: ignore[arg-type] - a set is no server
            await stores.connect()
            await stores.store(1)
            old = servers.master()
            await asyncio.to_thread(give_over, servers, old)
            async with asyncio.timeout(60):
                for n in range(2, 11):
                    await patiently(partial(stores.store, n))
            node = await link.atlas.node(0)
            port = node.data.connection_pool.connection_kwargs["port"]
            assert port == servers.master().port != old.port
            assert [entry[0] for entry in (await stores.look()).audio] == [
                f"{n}-0" for n in range(1, 11)
            ]


def give_over(servers: Watched, old: Server) -> None:
    """Let the replica be master; the old master lives on as a replica."""
    sentinel = servers.sentinels[0]
    until(lambda: bool(sentinel.ask("SENTINEL FAILOVER", "steno")), "the replica is good enough")
    until(lambda: servers.master() is not old, "another master")
    # A Sentinel would say so only seconds later.
    old.ask("REPLICAOF", "127.0.0.1", servers.master().port)


@asynccontextmanager
async def pair(binary: Binary) -> AsyncIterator[tuple[Stores, Stores, int]]:
    """Give the stores without replicas, those that wait for one, and the process of that one."""
    with watched(binary.path, plain_ports(2), sentinels=0) as servers, ExitStack() as stack:
        url = f"redis://127.0.0.1:{servers.servers[0].port}"
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(link_module, "ANSWER_SECONDS", 2.0)
        async with open_link(url) as plain, open_link(url, replicas=1) as sure:
            pid = int(servers.servers[1].ask("INFO", "server")["process_id"])
            hasty, patient = Stores(None, plain, LIMITS), Stores(None, sure, LIMITS)  # type: ignore[arg-type]
            # A replica that has its copy may not be counted yet.
            await patiently(partial(sure.ask, 0, lambda pipe: pipe.ping()), 60)
            yield hasty, patient, pid


@pytest.mark.parametrize("binary", binaries(), ids=lambda binary: binary.title)
async def test_no_answer_comes_before_a_replica_has_what_it_stands_on(binary: Binary) -> None:
    async with pair(binary) as (hasty, sure, replica):
        await sure.connect()
        await sure.store(1)
        os.kill(replica, signal.SIGSTOP)
        try:
            await hasty.store(2)
            for answer in (
                sure.sessions.snapshot(SID),
                sure.sessions.events(SID),
                sure.work.read({SID: "0-0"}, 10),
                sure.work.waiting(),
                sure.store(2),  # a duplicate: it writes nothing
                sure.store(3),
            ):
                with pytest.raises(StoreUnavailableError, match="FewReplicasError"):
                    await answer
            assert await sure.link.ping()
            assert await hasty.sessions.snapshot(SID) is not None
        finally:
            os.kill(replica, signal.SIGCONT)
        async with asyncio.timeout(60):
            await patiently(partial(sure.store, 2, 3))
            assert (await sure.look()).next == 4


async def test_a_full_redis_can_be_worked_off_with_a_replica() -> None:
    if not binaries():
        pytest.skip("no server program found: install redis-server")
    async with pair(binaries()[0]) as (hasty, sure, _):
        await sure.connect()
        await sure.store(1)
        claim = await sure.claim()
        await hasty.redis("CONFIG", "SET", "maxmemory", 1)
        assert await sure.work.commit(claim, span(1, "1-0", 100))
        with pytest.raises(StoreUnavailableError):
            await sure.sessions.append(SID, 1, [chunk(2)])
        with pytest.raises(StoreUnavailableError):
            await sure.sessions.create(session("other"), "epoch")


async def test_a_map_that_nobody_gives_is_no_reason_to_fail_for_good() -> None:
    async with open_link("redis+sentinel://127.0.0.1:1,127.0.0.1:2/none") as link:
        assert not await link.ping()
        await _unavailable(link)
    async with open_link("redis+cluster://127.0.0.1:1") as link:
        await _unavailable(link)


async def _unavailable(link: Link) -> None:
    with pytest.raises(StoreUnavailableError):
        await link.ask(0, lambda pipe: pipe.ping())
    with pytest.raises(StoreUnavailableError):
        await link.wait([0], lambda redis: redis.ping())
