"""The map that a process knows: looked for anew after failures, without anybody waiting for it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.exceptions import ConnectionError as NoConnectionError

from steno_common.errors import StoreError, StoreUnavailableError
from steno_common.store import atlas as atlas_module
from steno_common.store import together as together_module
from steno_common.store.atlas import Atlas
from steno_common.store.failures import NowhereError
from steno_common.store.link import Link
from steno_common.store.node import Node
from steno_common.store.sites import Site, at_each_site
from steno_common.store.together import Said, together
from steno_common.store.topology import Spread, Topology

A, B = "redis://127.0.0.1:1/0", "redis://127.0.0.1:2/0"


class Told:
    """A discovery that says what it is told to."""

    def __init__(self) -> None:
        self.map: Topology | None = Spread((A,))
        self.asked = 0
        self.open = asyncio.Event()
        self.open.set()

    async def find(self) -> Topology:
        self.asked += 1
        await self.open.wait()
        if self.map is None:
            raise NoConnectionError
        return self.map

    async def aclose(self) -> None:
        """Nothing is open."""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    monkeypatch.setattr(atlas_module, "LOOK_SECONDS", 0.0)
    return Told()


@pytest.fixture
async def atlas(told: Told) -> AsyncIterator[Atlas]:
    made = Atlas(told, replicas=0, answer_seconds=0.5)
    yield made
    await made.aclose()


async def test_all_who_ask_first_share_one_look(atlas: Atlas, told: Told) -> None:
    told.open.clear()
    asking = [asyncio.create_task(atlas.node(0)) for _ in range(9)]
    await asyncio.sleep(0)
    asking.pop().cancel()
    await asyncio.sleep(0)
    told.open.set()
    assert len(set(await asyncio.gather(*asking))) == 1
    assert told.asked == 1


async def test_while_it_is_looked_for_the_old_map_holds(atlas: Atlas, told: Told) -> None:
    before = await atlas.node(0)
    told.open.clear()
    told.map = Spread((B,))
    atlas.look_anew()
    atlas.look_anew()
    await asyncio.sleep(0)
    assert await atlas.node(0) is before
    told.open.set()
    async with asyncio.timeout(60):
        assert await atlas.changed(Spread((A,))) == Spread((B,))
    assert await atlas.node(0) is not before
    assert told.asked == 2


async def test_nobody_who_knows_a_map_is_a_failure_that_passes(atlas: Atlas, told: Told) -> None:
    told.map = None
    with pytest.raises(NowhereError):
        await atlas.node(0)
    with pytest.raises(StoreUnavailableError):
        await Link(atlas).ask(0, lambda pipe: pipe.ping())
    told.map = Spread((A,))
    await atlas.node(0)


async def test_a_map_in_use_is_compared_with_the_present(
    atlas: Atlas, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    await atlas.nodes([0])
    assert told.asked == 1
    monkeypatch.setattr(atlas_module, "REFRESH_SECONDS", 0.0)
    told.map = Spread((B,))
    await atlas.nodes([0])
    async with asyncio.timeout(60):
        assert await atlas.changed(Spread((A,))) == Spread((B,))


async def test_work_follows_the_shards_and_ends_as_it_likes(atlas: Atlas, told: Told) -> None:
    told.map = Spread((A, B))
    log: asyncio.Queue[tuple[str, Site]] = asyncio.Queue()
    ending = asyncio.Event()

    async def work(site: Site) -> None:
        await log.put(("begun", site))
        try:
            await ending.wait()
            await log.put(("done", site))
        except asyncio.CancelledError:
            await log.put(("cut off", site))
            raise

    task = asyncio.create_task(at_each_site(Link(atlas), range(4), work, ending=ending))
    async with asyncio.timeout(60):
        assert {await log.get(), await log.get()} == {("begun", (0, 2)), ("begun", (1, 3))}
        told.map = Spread((A,))
        atlas.look_anew()
        after = {await log.get() for _ in range(3)}
        assert after == {("cut off", (0, 2)), ("cut off", (1, 3)), ("begun", (0, 1, 2, 3))}
        ending.set()
        assert await log.get() == ("done", (0, 1, 2, 3))
        await task


@pytest.fixture
async def nodes() -> AsyncIterator[list[Node]]:
    made = [Node(url, 0, 1) for url in (A, B)]
    yield made
    for node in made:
        await node.aclose()


async def _at_once() -> Said:
    return ["here"]


async def _never() -> Said:
    await asyncio.Event().wait()
    raise AssertionError


async def _refused() -> Said:
    return StoreUnavailableError("gone")


async def test_who_is_much_later_than_the_first_counts_as_away(
    nodes: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(together_module, "LATE_SECONDS", 0.01)
    quick, slow = nodes
    async with asyncio.timeout(60):
        said = await together({slow: _never, quick: _at_once}, patient=False)
    assert said[quick] == ["here"]
    assert isinstance(said[slow], StoreError)
    assert (quick.away, slow.away) == (False, True)


async def test_a_refusal_hurries_nobody(nodes: list[Node], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together_module, "LATE_SECONDS", 0.0)

    async def late() -> Said:
        await asyncio.sleep(0.05)
        return ["late"]

    for patient in (False, True):
        said = await together({nodes[0]: _refused, nodes[1]: late}, patient=patient)
        assert said[nodes[1]] == ["late"]
    said = await together({nodes[0]: _at_once, nodes[1]: late}, patient=True)
    assert said[nodes[1]] == ["late"]
