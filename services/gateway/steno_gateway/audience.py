"""What listeners have in common, however they are connected."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from steno_common.store.sessions import Snapshot
from steno_gateway import metrics
from steno_gateway.domain.choice import Choice, chosen_languages, flag
from steno_gateway.services import Services
from steno_gateway.session_log import Summary, Told
from steno_gateway.subscription import Subscription


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a listener asks for."""

    choice: Choice
    summary: bool
    """Whether one that joins late is told in one message what it has missed."""


def wanted(request: web.Request) -> Wanted:
    """Read what a request's address asks for; raises ClientError `invalid_message`."""
    query = request.query
    languages = chosen_languages(query.getall("language", ()))
    choice = Choice(languages, flag(query.get("original"), default=True))
    return Wanted(choice, flag(query.get("snapshot"), default=False))


def greeting(snapshot: Snapshot) -> dict[str, Any]:
    """Give the first message to a listener."""
    return {
        "type": "server:session_created",
        "session_id": snapshot.session.session_id,
        "status": snapshot.status,
        "epoch": snapshot.epoch,
        "last_event": snapshot.event,
    }


async def told_to(
    services: Services, snapshot: Snapshot, after: int, asked: Wanted
) -> AsyncGenerator[Told | Summary]:
    """Give what a listener is told behind an event, until the session is over for it."""
    subscription = Subscription(
        snapshot.session.session_id, after, services.store, choice=asked.choice,
        patience_seconds=services.settings.translation_seconds,
    )  # fmt: skip
    services.feed.subscribe(subscription)
    try:
        if asked.summary and after == 0:
            yield await subscription.summary(snapshot.epoch, snapshot.event)
        async for told in subscription.told():
            if told.message is not None:
                yield told
    finally:
        services.feed.unsubscribe(subscription)


@contextmanager
def counted(transport: str) -> Iterator[None]:
    """Count a listener while it listens."""
    with metrics.LISTENERS.labels(transport).track_inprogress():
        yield


async def until_one_ends(**parts: Coroutine[Any, Any, Any]) -> None:
    """Run the parts of a listener until one has ended; raises what it raised."""
    tasks = [asyncio.create_task(part, name=f"listener {name}") for name, part in parts.items()]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
