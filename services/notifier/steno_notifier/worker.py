"""Live fan-out: from the events of all shards to the channels of sessions."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NoReturn

from steno_common.store.doorbell import DoorbellStore, Ring
from steno_common.store.link import patiently
from steno_common.store.sites import Site, at_each_site
from steno_notifier import metrics
from steno_notifier.domain.coalesce import coalesce

Hear = Callable[[Sequence[Ring]], object]


def _deaf(_: Sequence[Ring]) -> None:
    """Hear nothing."""


async def fan_out(store: DoorbellStore, hear: Hear = _deaf) -> None:
    """Ring on what is read, until cancelled; `hear` gets it too, and waits for nothing.

    Nothing depends on a ring: who waits for news also looks by itself, and reads the log by number.
    So a ring that is lost with this process, or with Redis, costs a moment.
    """
    work = partial(_fan_out_at, store, hear)
    await at_each_site(store.link, store.shards, work, one_command=True)


async def _fan_out_at(store: DoorbellStore, hear: Hear, site: Site) -> NoReturn:
    while True:
        read = await patiently(partial(store.read, site))
        partials = sum(1 for _, payload in read if payload)
        metrics.RINGS.labels("partial").inc(partials)
        metrics.RINGS.labels("bell").inc(len(read) - partials)
        rings = coalesce(read)
        if rings:
            hear(rings)
            with metrics.PUBLISHING.time():
                heard = await patiently(partial(store.publish, rings))
            metrics.PUBLISHED.inc(len(rings))
            metrics.HEARD.inc(heard)
