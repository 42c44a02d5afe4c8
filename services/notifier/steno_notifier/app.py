"""The notifier, wired."""

import asyncio

from steno_common.health import PORT_OFFSETS, serve_health
from steno_common.lifecycle import Lifecycle
from steno_common.settings import load
from steno_common.store.doorbell import DoorbellStore
from steno_common.store.link import open_link
from steno_notifier.settings import NotifierSettings
from steno_notifier.worker import fan_out


async def serve(life: Lifecycle) -> None:
    """Work until the process drains; nothing here is worth waiting for then."""
    settings = load(NotifierSettings)
    port = settings.port + PORT_OFFSETS["notifier"]
    async with (
        open_link(settings.redis_url, replicas=settings.replicas) as link,
        serve_health(life, settings.host, port),
        asyncio.TaskGroup() as tasks,
    ):
        life.checks["redis"] = link.ping
        live = tasks.create_task(fan_out(DoorbellStore(link, settings)), name="live fan-out")
        await life.draining.wait()
        live.cancel()
