"""R5: signed webhooks, sent to real receivers that refuse, hang, break off, say too much."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping

import pytest
from aiohttp import web
from bench.ports import free_port
from cloudevents.v1.http import from_http
from standardwebhooks.webhooks import Webhook
from tests.integration.receiver_rig import answering, raw, receiving, senders
from tests.unit.notifier.parcels import OTHER_SECRET, SECRET, final, parcel

from steno_common.messages import Idle, Status
from steno_notifier.domain.outgoing import Sender, Verdict

DELIVERED = Verdict("delivered")


@pytest.fixture
async def webhook() -> AsyncIterator[Sender]:
    async with senders() as opened:
        yield opened["webhook"]


async def test_an_event_arrives_signed_and_is_read_by_both_libraries(webhook: Sender) -> None:
    async with receiving() as receiver:
        sent = parcel(final("grüß dich"), receiver.url())
        assert await webhook.send(sent) == DELIVERED

    (got,) = receiver.got
    verified = Webhook(SECRET).verify(got.body, dict(got.headers))
    event = from_http(dict(got.headers), got.body)
    assert verified["data"] == event.data
    assert event.data["text_content"] == "grüß dich"
    assert event["id"] == got.headers["webhook-id"] == sent.id
    assert got.headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    assert {"Authorization", "Cookie", "X-Api-Key"}.isdisjoint(got.headers)


async def test_each_try_has_the_same_id_and_bytes_and_its_own_time(webhook: Sender) -> None:
    async with receiving(answering(503)) as receiver:
        assert (await webhook.send(parcel(final(), receiver.url()))).kind == "again"
        await asyncio.sleep(1.1)  # the time of a try is in whole seconds
        receiver.answer = None
        assert await webhook.send(parcel(final(), receiver.url())) == DELIVERED

    first, second = receiver.got
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    earlier, later = (int(got.headers["webhook-timestamp"]) for got in (first, second))
    assert earlier < later <= time.time()
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


async def test_while_a_secret_is_changed_the_old_one_and_the_new_one_verify(
    webhook: Sender,
) -> None:
    async with receiving() as receiver:
        sent = parcel(final(), receiver.url(), secret=f"{SECRET} {OTHER_SECRET}")
        assert await webhook.send(sent) == DELIVERED
    for secret in (SECRET, OTHER_SECRET):
        Webhook(secret).verify(receiver.got[0].body, dict(receiver.got[0].headers))


@pytest.mark.parametrize(
    ("status", "headers", "verdict"),
    [
        (200, {}, DELIVERED),
        (410, {}, Verdict("gone", "http_410")),
        (429, {"Retry_After": "9"}, Verdict("again", "http_429", 9.0)),
        (503, {"Retry_After": "120"}, Verdict("again", "http_503", 120.0)),
        (404, {}, Verdict("again", "http_404")),
        (500, {}, Verdict("again", "http_500")),
    ],
)
async def test_the_status_decides(
    webhook: Sender, status: int, headers: dict[str, str], verdict: Verdict
) -> None:
    async with receiving(answering(status, **headers)) as receiver:
        assert await webhook.send(parcel(final(), receiver.url())) == verdict


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure_that_leads_nowhere(webhook: Sender, status: int) -> None:
    async with receiving(answering(status, Location="/elsewhere")) as receiver:
        verdict = await webhook.send(parcel(final(), receiver.url()))
    assert verdict == Verdict("again", f"http_{status}")
    assert [got.path for got in receiver.got] == ["/in"]


async def test_a_receiver_that_hangs_is_left_after_the_limit() -> None:
    async def hang(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        raise AssertionError

    async with receiving(hang) as receiver, senders(delivery_seconds=0.3) as opened:
        verdict = await opened["webhook"].send(parcel(final(), receiver.url()))
    assert verdict == Verdict("again", "timeout")


async def test_a_receiver_that_is_away_and_comes_back_gets_it(webhook: Sender) -> None:
    sent = parcel(final(), f"http://127.0.0.1:{free_port()}/in")
    assert await webhook.send(sent) == Verdict("again", "unreachable")
    async with receiving() as receiver:
        assert await webhook.send(parcel(final(), receiver.url())) == DELIVERED


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (b"", Verdict("again", "lost")),
        (b"\x16\x03\x01 what is this", Verdict("again", "broken_answer")),
        (b"HTTP/1.1 banana OK\r\n\r\n", Verdict("again", "broken_answer")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort", DELIVERED),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
         Verdict("again", "broken_answer")),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", DELIVERED),
        (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
         Verdict("again", "broken_answer")),
    ],
)  # fmt: skip
async def test_what_a_receiver_says_beside_its_status_breaks_nothing(
    webhook: Sender, answer: bytes, verdict: Verdict
) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    async with raw(speak) as port:
        url = f"http://127.0.0.1:{port}/"
        assert await webhook.send(parcel(final(), url)) == verdict


async def test_of_an_endless_answer_little_is_read(webhook: Sender) -> None:
    written = 0

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()
            written += 65_536

    async with raw(speak) as port:
        url = f"http://127.0.0.1:{port}/"
        assert await webhook.send(parcel(final(), url)) == DELIVERED
    # What the kernel holds between both, and nothing of it more.
    assert written < 30_000_000


async def test_an_answer_that_drips_is_not_waited_for(webhook: Sender) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await asyncio.sleep(0.2)

    async with raw(speak) as port, asyncio.timeout(30):
        url = f"http://127.0.0.1:{port}/"
        assert await webhook.send(parcel(final(), url)) == DELIVERED


async def test_one_connection_serves_many_deliveries_and_keeps_no_cookie(webhook: Sender) -> None:
    async with receiving(answering(200, Set_Cookie="a=b")) as receiver:
        for number in range(1, 6):
            sent = parcel(Status("paused"), receiver.url(), number=number)
            assert await webhook.send(sent) == DELIVERED
    assert receiver.connections == 1
    assert all("Cookie" not in got.headers for got in receiver.got)
    assert [json.loads(got.body)["sequence"][-1] for got in receiver.got] == list("12345")


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving(answering(502)) as proxy, receiving() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url(""))
        async with senders() as opened:
            assert await opened["webhook"].send(parcel(final(), receiver.url())) == DELIVERED
    assert not proxy.got


async def test_what_cannot_be_sent_is_never_tried(webhook: Sender) -> None:
    async with receiving() as receiver:
        url = receiver.url()
        assert await webhook.send(parcel(Idle(5), url)) == Verdict("never", "no_form")
        sent = parcel(final(), url, secret="not a secret")
        assert await webhook.send(sent) == Verdict("never", "bad_secret")
    assert not receiver.got


async def test_the_installations_own_receiver_gets_what_sessions_may_not_name() -> None:
    async with receiving() as receiver:
        url = receiver.url()
        async with senders(webhook_url=url, delivery_allow=()) as opened:
            own = parcel(final(), url, name="webhook", secret="")
            assert await opened["webhook"].send(own) == DELIVERED
            named = parcel(final(), url)
            assert await opened["webhook"].send(named) == Verdict("never", "forbidden_url")
    assert "webhook-signature" not in receiver.got[0].headers


async def test_closing_twice_is_closing(webhook: Sender) -> None:
    opened: Mapping[str, Sender]
    async with senders() as opened:
        for sender in opened.values():
            await sender.aclose()


async def test_receivers_that_hang_take_no_connection_from_another() -> None:
    reached = asyncio.Queue[None]()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.put_nowait(None)
        await asyncio.sleep(3600)

    async with raw(hang) as port, receiving() as receiver, senders(delivery_seconds=90.0) as opened:
        stuck = parcel(final(), f"http://127.0.0.1:{port}/")
        tries = []
        for _ in range(8):
            tries += [asyncio.create_task(opened["webhook"].send(stuck)) for _ in range(50)]
            for _ in range(50):
                await reached.get()
        async with asyncio.timeout(30):  # long before one of those gives its connection back
            assert await opened["webhook"].send(parcel(final(), receiver.url())) == DELIVERED
        for each in tries:
            each.cancel()
        await asyncio.wait(tries)
