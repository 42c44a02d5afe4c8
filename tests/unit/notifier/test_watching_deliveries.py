"""What a notifier says of the dead letters that had no room."""

import asyncio
import logging
from dataclasses import dataclass, field

import pytest

from steno_common.store.backlog import Backlog
from steno_notifier import metrics, watching


@dataclass
class Store:
    """Says of each look how many letters had no room."""

    said: list[int]
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def backlog(self) -> Backlog:
        if not self.said:
            self.over.set()
            await asyncio.Event().wait()
        return Backlog(0, 0, 0.0, 0, self.said.pop(0))

    async def expire_letters(self, seconds: float) -> None:
        assert seconds == 60.0


async def test_letters_that_had_no_room_are_counted_and_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watching, "WATCH_SECONDS", 0.0)
    # The third look is at a Redis less; before the first look nobody knows when they went.
    store = Store([3, 5, 1, 5, 6])
    with caplog.at_level(logging.WARNING):
        watch = asyncio.create_task(watching.watch(store, 60.0), name="watch")  # type: ignore[arg-type]
        async with asyncio.timeout(60):
            await store.over.wait()
        watch.cancel()
    assert [record.__dict__["count"] for record in caplog.records] == [2, 1]
    assert metrics.DROPPED._value.get() == 6
