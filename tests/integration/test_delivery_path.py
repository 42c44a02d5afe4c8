"""R1, R3, R5: a session's events by way of the loop and the senders to receivers of every kind."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiohttp import WSMsgType, web
from cloudevents.v1.http import from_http
from standardwebhooks.webhooks import Webhook
from tests.integration.aggregator_rig import Stage, aggregating, open_stage
from tests.integration.receiver_rig import Receiver, answering, receiving, served
from tests.redis_servers import RedisServer
from tests.unit.notifier.parcels import SECRET, partial
from tests.waiting import until

from steno_common.archive import Archive
from steno_common.destinations import DestinationSettings
from steno_common.messages import Destination, encode
from steno_common.public import Json
from steno_common.store.deliveries import DeliveryStore
from steno_common.store.doorbell import DoorbellStore
from steno_common.store.letters import LetterStore, Wanted
from steno_notifier.delivering import Deliveries
from steno_notifier.delivery import Desk
from steno_notifier.live import LivePartials
from steno_notifier.senders import open_senders
from steno_notifier.worker import fan_out

SETTINGS = {"webhook_retries": (0.02,) * 40, "relay_retries": (0.02,), "relay_seconds": 60.0,
            "delivery_seconds": 60.0, "delivery_allow": ("127.0.0.1",)}  # fmt: skip


@pytest.fixture
async def stage(redis_server: RedisServer) -> AsyncIterator[Stage]:
    async with open_stage(redis_server.url) as opened:
        yield opened


@pytest.fixture
def archive(tmp_path: object) -> Archive:
    return Archive(str(tmp_path))


@asynccontextmanager
async def notifying(stage: Stage, settings: DestinationSettings) -> AsyncIterator[None]:
    """Run a notifier with all that it has."""
    senders, draining = open_senders(settings), asyncio.Event()
    desk = Desk(DeliveryStore(stage.link, stage.limits), settings, senders, draining)
    deliveries = Deliveries(desk, LivePartials(desk))
    doorbell = DoorbellStore(stage.link, stage.limits)
    await doorbell.prepare()
    try:
        async with asyncio.TaskGroup() as tasks:
            bells = tasks.create_task(fan_out(doorbell, deliveries.hear), name="fan-out")
            tasks.create_task(deliveries.run(), name="deliveries")
            yield
            draining.set()
            bells.cancel()
    finally:
        for sender in senders.values():
            await sender.aclose()


@dataclass
class EveryThird:
    """Fails every third request, each time in another way."""

    count: int = 0

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.count += 1
        if self.count % 3:
            return web.Response(status=204)
        if self.count % 2:
            return web.Response(status=503)
        assert request.transport is not None
        request.transport.abort()
        return web.Response()


@dataclass
class Socket:
    """A relay's receiver that breaks its connection off, having read every third message."""

    port: int = 0
    got: tuple[Json, ...] = ()
    count: int = 0

    async def take(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self.count += 1
                self.got = (*self.got, json.loads(message.data))
                if self.count % 3 == 0:
                    assert request.transport is not None
                    request.transport.abort()
                    break
            elif message.type is WSMsgType.PING:
                await socket.pong(message.data)
        return socket


@asynccontextmanager
async def relaying() -> AsyncIterator[Socket]:
    receiver = Socket()
    app = web.Application()
    app.router.add_get("/", receiver.take)
    async with served(app) as receiver.port:
        yield receiver


def once(messages: Sequence[Json]) -> list[Json]:
    """Drop what came before under the same id."""
    return list({message["id"]: message for message in reversed(messages)}.values())[::-1]


async def test_each_kind_gets_its_own_once_and_in_order_of_a_receiver_that_fails_every_third_time(
    stage: Stage, archive: Archive
) -> None:
    words = [f"word {number}" for number in range(9)]
    async with (
        receiving(EveryThird()) as webhook,
        receiving(EveryThird()) as relay,
        receiving(EveryThird()) as pipeline,
        relaying() as sockets,
        aggregating(stage, archive),
        notifying(stage, DestinationSettings(**SETTINGS)),  # type: ignore[arg-type]
    ):
        played = await stage.play(
            Destination("hook-1", "webhook", webhook.url(), SECRET),
            Destination("relay-2", "relay", relay.url()),
            Destination("relay-3", "relay", f"ws://127.0.0.1:{sockets.port}/"),
            Destination("pipeline-4", "pipeline", pipeline.url()),
        )
        for word in words:
            await played.say(word, pause=4)
        await played.stop()
        await until(lambda: _ended(webhook))
        await until(lambda: _came(relay, 9))
        await until(lambda: _said(sockets, 9))
        await until(lambda: _came(pipeline, 9))

    events = once([from_http(dict(got.headers), got.body).get_attributes()
                   | {"data": Webhook(SECRET).verify(got.body, dict(got.headers))["data"]}
                   for got in webhook.got])  # fmt: skip
    assert [each["sequence"] for each in events] == sorted(each["sequence"] for each in events)
    finals = [each for each in events if each["type"] == "dev.steno.session.final.v1"]
    assert [each["data"]["text_content"] for each in finals] == words
    assert events[-1]["type"] == "dev.steno.session.completed.v1"
    assert events[-1]["data"]["text"] == " ".join(words)

    for messages in ([json.loads(got.body) for got in relay.got], sockets.got):
        assert [item["text"] for message in once(messages) for item in message["items"]] == words
        assert [message["utterance"] for message in once(messages)] == list(range(9))

    named = {got.headers["webhook-id"]: json.loads(got.body) for got in pipeline.got}
    assert [each["transcriptText"] for each in named.values()] == words
    assert len(webhook.got) > len(events)  # some came twice, or were refused at first


async def test_what_a_pipeline_refuses_is_a_dead_letter_and_the_next_goes_on(stage: Stage) -> None:
    async def refuse_the_second(request: web.Request) -> web.StreamResponse:
        refused = json.loads(await request.read())["transcriptText"] == "two"
        return web.Response(status=422 if refused else 202)

    async with (
        receiving(refuse_the_second) as pipeline,
        notifying(stage, DestinationSettings(**SETTINGS)),  # type: ignore[arg-type]
    ):
        played = await stage.play(Destination("pipeline-1", "pipeline", pipeline.url()))
        for word in ("one", "two", "three"):
            await played.say(word)
        await until(lambda: _came(pipeline, 3))
        letters = LetterStore(stage.link, stage.limits)
        await until(lambda: _some(letters))
        (letter,) = [letter async for _, letter in letters.find(Wanted())]

    assert (letter.reason, letter.tries) == ("http_422", 1)
    assert [json.loads(got.body)["transcriptText"] for got in pipeline.got] == [
        "one", "two", "three",
    ]  # fmt: skip


async def test_partials_reach_the_pipeline_of_the_installation_while_they_are_new(
    stage: Stage,
) -> None:
    async with receiving() as pipeline:
        settings = DestinationSettings(translation_pipeline_url=pipeline.url())
        async with notifying(stage, settings):
            played = await stage.play(Destination("pipeline", "pipeline"))
            await stage.work.publish(played.session_id, partial("hel", commit=0))
            await until(lambda: _came(pipeline, 1))
            await played.say("hello")
            await until(lambda: _came(pipeline, 2))
            await stage.work.publish(played.session_id, partial("hello", commit=0))
            await stage.work.publish(played.session_id, partial("wor", commit=1, end=90_000))
            await until(lambda: _came(pipeline, 3))

    told = [json.loads(got.body) for got in pipeline.got]
    assert [(each["transcriptText"], each["isPartial"]) for each in told] == [
        ("hel", True), ("hello", False), ("wor", True),
    ]  # fmt: skip


async def test_a_partial_whose_final_another_notifier_sends_is_not_sent(stage: Stage) -> None:
    async with receiving() as pipeline:
        settings = DestinationSettings(translation_pipeline_url=pipeline.url())
        senders = open_senders(settings)
        store = DeliveryStore(stage.link, stage.limits)
        live = LivePartials(Desk(store, settings, senders, asyncio.Event()))
        played = await stage.play(Destination("pipeline", "pipeline"))
        await played.say("hello")
        sending = asyncio.create_task(live.run(), name="live partials")
        for stale in ("hel", "hell"):
            live.hear(played.session_id, encode(partial(stale, commit=0)))
        await until(lambda: _idle(live))
        live.hear(played.session_id, encode(partial("wor", commit=1)))
        await until(lambda: _came(pipeline, 1))
        sending.cancel()
        await asyncio.wait({sending})
        for sender in senders.values():
            await sender.aclose()
    assert [json.loads(got.body)["transcriptText"] for got in pipeline.got] == ["wor"]


async def test_a_pipeline_that_is_gone_is_sent_no_more_partials_of_that_session(
    stage: Stage,
) -> None:
    async with receiving(answering(410)) as gone, receiving() as pipeline:
        settings = DestinationSettings(delivery_allow=("127.0.0.1",))
        senders = open_senders(settings)
        store = DeliveryStore(stage.link, stage.limits)
        live = LivePartials(Desk(store, settings, senders, asyncio.Event()))
        both = [Destination(f"pipeline-{n}", "pipeline", receiver.url())
                for n, receiver in enumerate((gone, pipeline), 1)]  # fmt: skip
        played = [await stage.play(*both) for _ in range(2)]
        sending = asyncio.create_task(live.run(), name="live partials")
        for session, came in ((played[0], 1), (played[0], 2), (played[1], 3)):
            live.hear(session.session_id, encode(partial(end=16_000 + came)))
            await until(lambda count=came: _came(pipeline, count))
        sending.cancel()
        await asyncio.wait({sending})
        for sender in senders.values():
            await sender.aclose()
    told = [got.headers["Steno-Session"] for got in gone.got]
    assert told == [session.session_id for session in played]


async def test_an_address_inside_is_never_reached_and_its_events_are_kept(stage: Stage) -> None:
    async with receiving() as inside:
        settings = DestinationSettings(webhook_retries=(0.02,))
        async with notifying(stage, settings):
            url = f"https://localhost:{inside.port}/"
            played = await stage.play(Destination("hook-1", "webhook", url, SECRET, ("final",)))
            await played.say("secret")
            letters = LetterStore(stage.link, stage.limits)
            await until(lambda: _some(letters))
            (letter,) = [letter async for _, letter in letters.find(Wanted())]
    assert letter.reason == "forbidden_address"
    assert inside.connections == 0


async def _idle(live: LivePartials) -> bool:
    return not live._newest and not live._looking and not live._next


async def _ended(receiver: Receiver) -> bool:
    return any(b"completed.v1" in got.body for got in receiver.got)


async def _came(receiver: Receiver, count: int) -> bool:
    return len({got.headers["webhook-id"] for got in receiver.got}) >= count


async def _said(sockets: Socket, count: int) -> bool:
    return len(once(sockets.got)) >= count


async def _some(letters: LetterStore) -> bool:
    return bool([letter async for _, letter in letters.find(Wanted())])
