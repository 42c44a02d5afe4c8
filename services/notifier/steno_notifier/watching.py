"""Shows how much is to be delivered; no session is named."""

import asyncio
import logging
from typing import Final, NoReturn

from steno_common.logs import about
from steno_common.store.backlog import BacklogStore
from steno_common.store.link import patiently
from steno_notifier import metrics

log = logging.getLogger(__name__)

WATCH_SECONDS: Final = 5.0


async def watch(store: BacklogStore, letter_seconds: float) -> NoReturn:
    """Look every few seconds, let old letters go, until cancelled; every notifier does the same."""
    dropped: int | None = None
    while True:
        backlog = await patiently(store.backlog)
        metrics.WAITING.labels("due").set(backlog.due)
        metrics.WAITING.labels("later").set(backlog.later)
        metrics.OLDEST.set(backlog.oldest_seconds)
        metrics.LETTERS.set(backlog.letters)
        metrics.DROPPED.set(backlog.dropped)
        if dropped is not None and backlog.dropped > dropped:
            count = backlog.dropped - dropped
            log.warning("no room for all dead letters: the oldest went", extra=about(count=count))
        dropped = max(dropped or 0, backlog.dropped)  # of a Redis that is away, nothing is counted
        await patiently(lambda: store.expire_letters(letter_seconds))
        await asyncio.sleep(WATCH_SECONDS)
