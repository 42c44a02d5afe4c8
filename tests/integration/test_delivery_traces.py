"""Each try of a delivery is a span of its session's trace, which its receiver can go on in."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import unused_port
from tests.integration.aggregator_rig import Stage, aggregating, open_stage
from tests.integration.delivery_rig import Delivering, delivering
from tests.integration.lambda_rig import FUNCTION, REGION
from tests.integration.receiver_rig import Receiver, answering, receiving, senders, served
from tests.otlp_collector import Collector, Span, collecting
from tests.redis_servers import RedisServer
from tests.unit.notifier.parcels import SECRET, partial
from tests.waiting import until

from steno_common import otlp, tracing
from steno_common.archive import Archive
from steno_common.destinations import DestinationSettings
from steno_common.letters import Letter
from steno_common.logs import session_tag
from steno_common.messages import Destination
from steno_common.store.letters import LetterId, Wanted
from steno_notifier.senders import pipeline

TRACE, ROOT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED, NOT_SAMPLED = f"00-{TRACE}-{ROOT}-01", f"00-{TRACE}-{ROOT}-00"
CLIENT = 3
"""What OTLP calls a span that asks another one's server."""


@pytest.fixture
async def stage(redis_server: RedisServer) -> AsyncIterator[Stage]:
    async with open_stage(redis_server.url) as opened:
        yield opened


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    monkeypatch.setattr(otlp, "DELAY_MS", 20)
    with collecting() as collector, tracing.exporting("notifier", collector.endpoint, 1.0):
        yield collector


@asynccontextmanager
async def notifying(stage: Stage, **settings: Any) -> AsyncIterator[Delivering]:
    """Run a notifier with the senders of an installation."""
    given = {
        "webhook_retries": (0.02,) * 40, "delivery_allow": ("127.0.0.1",),
        "delivery_seconds": 60.0, **settings,
    }  # fmt: skip
    async with (
        senders(**given) as opened,
        delivering(stage, DestinationSettings(**given), senders=opened) as notifier,
    ):
        yield notifier


def tries(collector: Collector) -> list[Span]:
    found = [span for span in collector.spans() if span.name == "deliver"]
    return sorted(found, key=lambda span: span.began_ns)


async def tried(collector: Collector, count: int) -> list[Span]:
    """Wait until so many tries have been exported."""

    async def enough() -> bool:
        return len(tries(collector)) >= count

    await until(enough, 60)
    return tries(collector)


def unlike(collector: Collector, *secrets: str) -> None:
    exported = b"".join(collector.bodies)
    for secret in secrets:
        assert secret.encode() not in exported, secret


async def test_each_try_is_a_span_of_its_own_that_the_receiver_is_told(
    stage: Stage, collector: Collector
) -> None:
    async def refuse_the_first(request: web.Request) -> web.StreamResponse:
        return web.Response(status=503 if len(receiver.got) == 1 else 204)

    async with receiving(refuse_the_first) as receiver, notifying(stage):
        url = receiver.url("/canary-in-the-address")
        played = await stage.play(
            Destination("hook-1", "webhook", url, SECRET, ("final",)), trace=SAMPLED
        )
        await played.say("canary spoken")
        first, second = await tried(collector, 2)

    same = {
        "steno.session": session_tag(played.session_id), "steno.number": 2,
        "steno.event": "final", "steno.destination": "hook-1", "http.request.method": "POST",
    }  # fmt: skip
    assert first.attributes == same | {
        "steno.attempt": 1, "steno.outcome": "again", "http.response.status_code": 503,
        "error.type": "http_503",
    }  # fmt: skip
    assert second.attributes == same | {
        "steno.attempt": 2, "steno.outcome": "delivered", "http.response.status_code": 204,
    }  # fmt: skip
    assert [span.failed for span in (first, second)] == [True, False]
    for span, got in zip((first, second), receiver.got, strict=True):
        assert (span.kind, span.trace_id, span.parent_id) == (CLIENT, TRACE, ROOT)
        assert got.headers["traceparent"] == f"00-{TRACE}-{span.span_id}-01"
    unlike(collector, "canary", SECRET, played.session_id, "127.0.0.1")


@asynccontextmanager
async def reading() -> AsyncIterator[tuple[str, list[str | None]]]:
    """Run a relay's receiver; gives its address, and the headers of trace of its handshakes."""
    told: list[str | None] = []

    async def take(request: web.Request) -> web.WebSocketResponse:
        told.append(request.headers.get("traceparent"))
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            assert message.type is WSMsgType.TEXT
        return socket

    app = web.Application()
    app.router.add_get("/", take)
    async with served(app) as port:
        yield f"ws://127.0.0.1:{port}/", told


async def test_all_kinds_of_destinations_are_told_but_a_connection_that_sessions_share(
    stage: Stage, collector: Collector, tmp_path: object
) -> None:
    async with (
        receiving() as hook, receiving() as relay, reading() as (url, handshakes),
        receiving(answering(202)) as translator, notifying(stage),
        aggregating(stage, Archive(str(tmp_path))),
    ):  # fmt: skip
        played = await stage.play(
            Destination("hook-1", "webhook", hook.url(), SECRET, ("utterance",)),
            Destination("relay-2", "relay", relay.url()),
            Destination("relay-3", "relay", url),
            Destination("pipeline-4", "pipeline", translator.url()),
            trace=SAMPLED,
        )
        await played.say("word", pause=4)
        found = {
            span.attributes["steno.destination"]: span for span in await tried(collector, 4)
        }  # fmt: skip

    asked = ("steno.event", "http.request.method", "http.response.status_code")
    told = {name: tuple(span.attributes[each] for each in asked) for name, span in found.items()}
    assert told == {
        "hook-1": ("utterance", "POST", 204), "relay-2": ("utterance", "POST", 204),
        "relay-3": ("utterance", "GET", 101), "pipeline-4": ("final", "POST", 202),
    }  # fmt: skip
    for name, receiver in (("hook-1", hook), ("relay-2", relay), ("pipeline-4", translator)):
        (got,) = receiver.got
        assert got.headers["traceparent"] == f"00-{TRACE}-{found[name].span_id}-01"
    assert handshakes == [None]
    assert {(span.trace_id, span.parent_id) for span in found.values()} == {(TRACE, ROOT)}


async def test_a_try_without_an_answer_says_why(stage: Stage, collector: Collector) -> None:
    async with notifying(stage, webhook_retries=()):
        url = f"http://127.0.0.1:{unused_port()}/canary"
        played = await stage.play(Destination("hook-1", "webhook", url), trace=SAMPLED)
        await played.say("canary spoken")
        span = (await tried(collector, 1))[0]
    assert span.failed
    assert span.attributes["error.type"] == "unreachable"
    assert "http.response.status_code" not in span.attributes
    unlike(collector, "canary", "127.0.0.1")


async def test_a_redirect_is_told_but_not_where_it_leads(
    stage: Stage, collector: Collector
) -> None:
    async with (
        receiving(answering(307, Location="/canary")) as receiver,
        notifying(stage, webhook_retries=()),
    ):
        to = Destination("hook-1", "webhook", receiver.url(), events=("final",))
        played = await stage.play(to, trace=SAMPLED)
        await played.say("word")
        (span,) = await tried(collector, 1)
    assert span.attributes["http.response.status_code"] == 307
    assert span.attributes["error.type"] == "http_307"
    unlike(collector, "canary")


@pytest.mark.parametrize(
    ("status", "headers", "outcome", "error"),
    [
        (202, {}, "delivered", None),
        (403, {"x-amzn-ErrorType": "AccessDeniedException"}, "never", "aws_AccessDeniedException"),
    ],
)
async def test_a_call_of_a_function_is_a_span_of_which_the_function_is_not_told(
    stage: Stage, collector: Collector, monkeypatch: pytest.MonkeyPatch,
    status: int, headers: dict[str, str], outcome: str, error: str | None,
) -> None:  # fmt: skip
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "canary")
    async with receiving(answering(status, **headers)) as cloud:
        function = {
            "translation_pipeline_function_name": FUNCTION, "aws_region": REGION,
            "lambda_endpoint_url": cloud.url(""),
        }  # fmt: skip
        async with notifying(stage, **function):
            played = await stage.play(Destination("pipeline", "pipeline"), trace=SAMPLED)
            await played.say("canary spoken")
            (span,) = await tried(collector, 1)
    assert span.attributes["steno.outcome"] == outcome
    assert span.attributes["http.response.status_code"] == status
    assert span.attributes.get("error.type") == error
    assert not {"traceparent", "X-Amz-Client-Context"} & cloud.got[0].headers.keys()
    unlike(collector, "canary", FUNCTION, played.session_id)


async def came(receiver: Receiver, count: int) -> None:
    async def enough() -> bool:
        return len(receiver.got) >= count

    await until(enough, 60)


async def test_partials_are_neither_traced_nor_name_a_trace(
    stage: Stage, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "PARTIAL_SECONDS", 60.0)
    async with (
        receiving() as receiver,
        notifying(stage, translation_pipeline_url=receiver.url()),
    ):
        played = await stage.play(Destination("pipeline", "pipeline"), trace=SAMPLED)
        for count, text in enumerate(("he", "hel", "hell"), 1):
            await stage.work.publish(played.session_id, partial(text, commit=0))
            await came(receiver, count)
        await played.say("hello")
        (span,) = await tried(collector, 1)
    assert span.attributes["steno.event"] == "final"
    told = [got.headers.get("traceparent") for got in receiver.got]
    assert told == [None, None, None, f"00-{TRACE}-{span.span_id}-01"]


async def all_taken(notifier: Delivering, played_in: Stage) -> None:
    """Wait until nothing is due or on its way."""
    shards = played_in.windows.space.all_shards()

    async def nothing() -> bool:
        left = [await played_in.link.ask(keys.shard, lambda pipe, k=keys: pipe.zcard(k.outgoing))
                for keys in shards]  # fmt: skip
        return not any(count for (count,) in left)

    await until(nothing, 60)


@pytest.mark.parametrize(("trace", "told"), [(NOT_SAMPLED, "00"), ("", None)])
async def test_of_a_session_that_is_not_sampled_nothing_is_exported(
    stage: Stage, trace: str, told: str | None
) -> None:
    with collecting() as collector:
        with tracing.exporting("notifier", collector.endpoint, 1.0):
            async with receiving() as receiver, notifying(stage) as notifier:
                to = Destination("hook-1", "webhook", receiver.url(), events=("final",))
                played = await stage.play(to, trace=trace)
                await played.say("word")
                await all_taken(notifier, stage)
        (got,) = receiver.got
        named = got.headers.get("traceparent")
        assert named is None if told is None else named is not None
        # Its receiver learns that this trace is not recorded, and need not record its part.
        assert (named or "")[:36] == trace[:36]
        assert (named and named[-2:]) == told
        assert collector.bodies == []


async def letters(notifier: Delivering) -> list[tuple[LetterId, Letter]]:
    return [entry async for entry in notifier.letters.find(Wanted())]


def some(notifier: Delivering, count: int) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return len(await letters(notifier)) == count

    return holds


async def test_a_letter_that_is_sent_again_is_one_more_try_in_the_trace(
    stage: Stage, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        receiving(answering(500)) as receiver,
        notifying(stage, webhook_retries=()) as notifier,
    ):
        to = Destination("hook-1", "webhook", receiver.url(), events=("final",))
        played = await stage.play(to, trace=SAMPLED)
        await played.say("word")
        await until(some(notifier, 1), 60)
        receiver.answer = None
        await notifier.letters.resend(await letters(notifier))
        await until(some(notifier, 0), 60)
        first, again = await tried(collector, 2)
    assert [span.attributes["steno.attempt"] for span in (first, again)] == [1, 2]
    assert [span.attributes["steno.outcome"] for span in (first, again)] == ["again", "delivered"]
    assert again.parent_id == ROOT
    (warned,) = (record for record in caplog.records if record.message == "not delivered")
    assert (warned.trace_id, warned.span_id) == (TRACE, ROOT)  # type: ignore[attr-defined]
    assert receiver.got[1].headers["traceparent"] == f"00-{TRACE}-{again.span_id}-01"
