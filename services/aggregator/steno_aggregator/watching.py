"""Shows how Redis stands, with the sessions in it; no exporter is needed beside Steno."""

import asyncio
from typing import Final, NoReturn

from steno_aggregator import metrics
from steno_common.errors import StoreError
from steno_common.store.link import patiently
from steno_common.store.observer import ObserverStore
from steno_common.store.windows import WindowStore
from steno_common.waiting import OLDEST, WAITING

WATCH_SECONDS: Final = 5.0
WAITING_SECONDS: Final = 1.0


async def watch(store: ObserverStore) -> NoReturn:
    """Look every few seconds, until cancelled; every aggregator shows the same."""
    while True:
        try:
            metrics.show_redis(await store.redis())
            metrics.show_sessions(await store.states())
        except StoreError:
            # It is counted where it happened, and readiness tells it.
            metrics.show_nothing()
        await asyncio.sleep(WATCH_SECONDS)


async def count_waiting(store: WindowStore) -> NoReturn:
    """Count the audio that waits for transcribers, of which there may be none; until cancelled."""
    while True:
        waits = await patiently(store.unclaimed)
        WAITING.labels("unclaimed").set(sum(waits))
        OLDEST.labels("unclaimed").set(max(waits, default=0.0))
        await asyncio.sleep(WAITING_SECONDS)
