"""The notifier, wired."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from steno_common.destinations import DestinationSettings
from steno_common.health import PORT_OFFSETS, serve_health
from steno_common.lifecycle import Lifecycle
from steno_common.settings import load
from steno_common.store.backlog import BacklogStore
from steno_common.store.deliveries import DeliveryStore
from steno_common.store.doorbell import DoorbellStore
from steno_common.store.link import open_link
from steno_notifier.delivering import Deliveries
from steno_notifier.delivery import Desk
from steno_notifier.domain.outgoing import Sender
from steno_notifier.live import LivePartials
from steno_notifier.senders import open_senders
from steno_notifier.settings import NotifierSettings
from steno_notifier.watching import watch
from steno_notifier.worker import fan_out


@asynccontextmanager
async def _senders(settings: DestinationSettings) -> AsyncIterator[Mapping[str, Sender]]:
    senders = open_senders(settings)
    try:
        yield senders
    finally:
        for sender in senders.values():
            await sender.aclose()


async def serve(life: Lifecycle) -> None:
    """Work until the process drains: deliveries on their way are finished then."""
    settings, destinations = load(NotifierSettings), load(DestinationSettings)
    port = settings.port + PORT_OFFSETS["notifier"]
    async with (
        open_link(settings.redis_url, replicas=settings.replicas) as link,
        _senders(destinations) as senders,
        serve_health(life, settings.host, port),
        asyncio.TaskGroup() as tasks,
    ):
        life.checks["redis"] = link.ping
        store = DeliveryStore(link, settings)
        desk = Desk(store, destinations, senders, life.draining, settings.letters)
        deliveries = Deliveries(desk, LivePartials(desk))
        backlog = watch(BacklogStore(link, settings), settings.letter_days * 86_400)
        going = (
            tasks.create_task(
                fan_out(DoorbellStore(link, settings), deliveries.hear), name="live fan-out"
            ),
            tasks.create_task(backlog, name="watch deliveries"),
        )
        await deliveries.run()
        for task in going:
            task.cancel()
