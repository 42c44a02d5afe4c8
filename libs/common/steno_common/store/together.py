"""Asking several Redis at once without waiting for those that are away."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Final

from steno_common.errors import StoreError, StoreUnavailableError
from steno_common.store.node import Node

LATE_SECONDS: Final = 0.5
"""Once one Redis has answered, the others have this long."""
AWAY_SECONDS: Final = 0.05
"""The same of those that were away the last time."""

Said = list[Any] | StoreError
"""Answers of one Redis, or why there are none."""
Ask = Callable[[], Coroutine[Any, Any, Said]]


async def together(asks: Mapping[Node, Ask], *, patient: bool) -> dict[Node, Said]:
    """Ask every node; gives what each said, or why it said nothing.

    Unless `patient`, whoever is much later than the first counts as away: one machine that is gone
    must not hold up what lives on the others.
    """
    if len(asks) == 1:
        return {node: await ask() for node, ask in asks.items()}
    said: dict[Node, Said] = {}
    async with asyncio.TaskGroup() as group:
        waiting = {
            group.create_task(ask(), name="ask one Redis"): node for node, ask in asks.items()
        }
        heard = False
        while waiting:
            limit = _limit(waiting.values()) if heard and not patient else None
            done, _ = await asyncio.wait(
                waiting, timeout=limit, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                said[waiting.pop(task)] = answer = task.result()
                heard = heard or not isinstance(answer, StoreError)
            if not done:
                break
        for task, node in waiting.items():
            task.cancel()
            node.away = True
            said[node] = StoreUnavailableError("Redis does not answer: later than the others")
    return said


def _limit(waiting: Iterable[Node]) -> float:
    return AWAY_SECONDS if all(node.away for node in waiting) else LATE_SECONDS
