"""A notifier that delivers on real stores, to receivers that answer as a test says."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from tests.integration.aggregator_rig import Stage

from steno_common.destinations import DestinationSettings
from steno_common.messages import Destination, Partial
from steno_common.store.deliveries import DeliveryStore
from steno_common.store.doorbell import DoorbellStore
from steno_common.store.letters import LetterStore
from steno_notifier.delivering import Deliveries
from steno_notifier.delivery import Desk
from steno_notifier.domain.outgoing import NAMES, Parcel, Verdict
from steno_notifier.live import LivePartials
from steno_notifier.worker import fan_out

Answer = Callable[[int], int]
"""From the number of a request, from 1, to its status."""

QUICK = DestinationSettings(webhook_retries=(0.05,) * 40, relay_retries=(0.05,), relay_seconds=60.0)


@dataclass
class PlainSender:
    """Posts what there is of a parcel as JSON; as much as a test needs of a sender."""

    session: aiohttp.ClientSession
    seconds: float = 60.0

    async def send(self, parcel: Parcel) -> Verdict:
        body = {
            "id": parcel.id,
            "session": parcel.session.session_id,
            "number": parcel.number,
            "kind": "partial" if isinstance(parcel.event, Partial) else NAMES[type(parcel.event)],
            "text": getattr(parcel.event, "text", ""),
            "finals": [getattr(final.event, "text", "") for final in parcel.finals],
            "tries": parcel.tries,
        }
        try:
            async with asyncio.timeout(self.seconds):
                async with self.session.post(parcel.destination.url, json=body) as answer:
                    return verdict(answer.status, answer.headers.get("Retry-After", "0"))
        except TimeoutError:
            return Verdict("again", "timeout")
        except (aiohttp.ClientError, OSError):
            return Verdict("again", "unreachable")

    async def aclose(self) -> None:
        await self.session.close()


def verdict(status: int, retry_after: str) -> Verdict:
    if status < 300:
        return Verdict("delivered")
    if status == 410:
        return Verdict("gone", "gone")
    if status == 400:
        return Verdict("never", "http_400")
    return Verdict("again", f"http_{status}", float(retry_after))


@dataclass
class Receiver:
    """What came, and what was told."""

    url: str = ""
    answer: Answer = lambda _: 204
    headers: dict[str, str] = field(default_factory=dict)
    requests: int = 0
    taken: list[dict[str, object]] = field(default_factory=list)
    """Bodies of requests that were told that they are taken, in order."""
    hanging: asyncio.Event | None = None
    """Nothing is answered before it is set."""

    def to(self, name: str = "hook-1", events: tuple[str, ...] = ()) -> Destination:
        return Destination(name, "webhook", self.url, "", events)

    async def take(self, request: web.Request) -> web.Response:
        self.requests += 1
        body = json.loads(await request.read())
        status = self.answer(self.requests)
        if self.hanging is not None:
            await self.hanging.wait()
        if status < 300:
            self.taken.append(body)
        return web.Response(status=status, headers=self.headers)

    def told(self, *kinds: str) -> list[str]:
        """Give the texts of what was taken, after dropping what came twice."""
        return [str(body["text"]) for body in self.once() if not kinds or body["kind"] in kinds]

    def once(self) -> list[dict[str, object]]:
        """Give what was taken, without what came before under the same id."""
        return list({body["id"]: body for body in reversed(self.taken)}.values())[::-1]

    def by_session(self) -> dict[str, list[int]]:
        """Give the numbers of the events that were taken, by session, as they came."""
        found = defaultdict(list)
        for body in self.once():
            found[str(body["session"])].append(int(str(body["number"])))
        return dict(found)


@asynccontextmanager
async def receiving(answer: Answer = lambda _: 204, **headers: str) -> AsyncIterator[Receiver]:
    """Run a receiver."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    receiver = Receiver(answer=answer, headers=named)
    app = web.Application()
    app.router.add_post("/", receiver.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        yield receiver
    finally:
        await runner.cleanup()


@dataclass
class Delivering:
    """A notifier at work."""

    store: DeliveryStore
    letters: LetterStore
    draining: asyncio.Event


@asynccontextmanager
async def delivering(
    stage: Stage, settings: DestinationSettings = QUICK, *, deaf: bool = False, seconds: float = 60
) -> AsyncIterator[Delivering]:
    """Run a notifier; at the end it drains. `deaf`: it hears no bell."""
    draining, store = asyncio.Event(), DeliveryStore(stage.link, stage.limits)
    sender = PlainSender(aiohttp.ClientSession(), seconds)
    desk = Desk(store, settings, dict.fromkeys(("webhook", "relay", "pipeline"), sender), draining)
    deliveries = Deliveries(desk, LivePartials(desk))
    doorbell = DoorbellStore(stage.link, stage.limits)
    await doorbell.prepare()
    try:
        async with asyncio.TaskGroup() as tasks:
            bells = [] if deaf else [
                tasks.create_task(fan_out(doorbell, deliveries.hear), name="fan-out")
            ]  # fmt: skip
            tasks.create_task(deliveries.run(), name="deliveries")
            yield Delivering(store, LetterStore(stage.link, stage.limits), draining)
            draining.set()
            for task in bells:
                task.cancel()
    finally:
        await sender.aclose()
