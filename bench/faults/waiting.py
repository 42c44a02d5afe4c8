"""Waiting for what tells nobody when it happens: files, other processes, states of libraries."""

import asyncio
from collections.abc import Callable


async def until(reached: Callable[[], bool], every: float = 0.05) -> None:
    """Look every so many seconds; the caller sets the limit."""
    while not reached():  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(every)
