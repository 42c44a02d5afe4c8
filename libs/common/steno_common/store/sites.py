"""Work that goes on at every Redis by itself, so that one that is away holds up no other."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from steno_common.store.atlas import Atlas
from steno_common.store.failures import NowhereError
from steno_common.store.link import FIRST_PAUSE_SECONDS, Link
from steno_common.store.topology import Topology, sites

Site = tuple[int, ...]
"""Shards that live together."""


async def at_each_site(
    link: Link,
    shards: Sequence[int],
    work: Callable[[Site], Awaitable[None]],
    *,
    one_command: bool = False,
    ending: asyncio.Event | None = None,
) -> None:
    """Run `work` for the shards of each Redis, each in a task of its own, until cancelled.

    When shards move, work at sites that are no more is cancelled, at new ones it begins; so it must
    bear to be cut off anywhere. With `one_command` a site is what one command may read: on a
    Cluster a single shard. Once `ending` is set no work is begun or cancelled any more; what goes
    on then has to return by itself.
    """

    async def follow(group: asyncio.TaskGroup) -> None:
        going: dict[Site, asyncio.Task[None]] = {}
        topology = await _first(link.atlas)
        while True:
            wanted = set(sites(topology, shards, one_command=one_command))
            for site in going.keys() - wanted:
                going.pop(site).cancel()
            for site in wanted - going.keys():
                going[site] = group.create_task(_run(work, site), name=f"shards {site}")
            topology = await link.atlas.changed(topology)

    async with asyncio.TaskGroup() as group:
        following = group.create_task(follow(group), name="follow shards")
        if ending is not None:
            await ending.wait()
            following.cancel()


async def _run(work: Callable[[Site], Awaitable[None]], site: Site) -> None:
    await work(site)


async def _first(atlas: Atlas) -> Topology:
    while True:
        try:
            return await atlas.topology()
        except NowhereError:
            await asyncio.sleep(FIRST_PAUSE_SECONDS)
