"""Shows how much is to be delivered; no session is named."""

import asyncio
from typing import Final, NoReturn

from steno_common.store.backlog import BacklogStore
from steno_common.store.link import patiently
from steno_notifier import metrics

WATCH_SECONDS: Final = 5.0


async def watch(store: BacklogStore, letter_seconds: float) -> NoReturn:
    """Look every few seconds, let old letters go, until cancelled; every notifier does the same."""
    while True:
        backlog = await patiently(store.backlog)
        metrics.WAITING.labels("due").set(backlog.due)
        metrics.WAITING.labels("later").set(backlog.later)
        metrics.OLDEST.set(backlog.oldest_seconds)
        metrics.LETTERS.set(backlog.letters)
        await patiently(lambda: store.expire_letters(letter_seconds))
        await asyncio.sleep(WATCH_SECONDS)
