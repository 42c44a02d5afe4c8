"""The aggregator, wired."""

import asyncio

from steno_aggregator.settings import AggregatorSettings
from steno_aggregator.watching import count_waiting, watch
from steno_aggregator.worker import Aggregator
from steno_common.archive import Archive
from steno_common.health import PORT_OFFSETS, serve_health
from steno_common.lifecycle import Lifecycle
from steno_common.settings import load
from steno_common.store.link import open_link
from steno_common.store.observer import ObserverStore
from steno_common.store.sites import Site, at_each_site
from steno_common.store.windows import WindowStore


async def serve(life: Lifecycle) -> None:
    """Work until the process drains."""
    settings = load(AggregatorSettings)
    archive = Archive(settings.output)
    await asyncio.to_thread(archive.prepare)
    port = settings.port + PORT_OFFSETS["aggregator"]
    async with (
        open_link(settings.redis_url, replicas=settings.replicas) as link,
        serve_health(life, settings.host, port),
        asyncio.TaskGroup() as tasks,
    ):
        life.checks["redis"] = link.ping
        store = WindowStore(link, settings)

        async def aggregate(site: Site) -> None:
            await Aggregator(store, archive, shards=site).run(life.draining)

        watching = (
            tasks.create_task(watch(ObserverStore(link, settings)), name="watch redis"),
            tasks.create_task(count_waiting(store), name="count waiting"),
        )
        await at_each_site(link, store.shards, aggregate, ending=life.draining)
        for task in watching:
            task.cancel()
