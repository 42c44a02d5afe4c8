"""R1: the texts go to a second server over WebSocket or HTTP; nothing is lost, nothing doubled."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import WSMsgType, web
from bench.ports import free_port
from msgspec.structs import replace
from tests.integration.receiver_rig import answering, raw, receiving, senders, served
from tests.unit.notifier.parcels import NAMED, final, spoken

from steno_notifier.domain.outgoing import Parcel, Sender, Verdict
from steno_notifier.domain.relay_form import relay_form
from steno_notifier.senders import wires
from steno_notifier.senders.line import Line, Message

DELIVERED = Verdict("delivered")
Handle = Callable[[web.WebSocketResponse], Awaitable[None]]


@dataclass
class Sockets:
    """A WebSocket receiver: what was read, over how many connections."""

    port: int = 0
    read: list[dict[str, object]] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/relay"

    async def take(self, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self.read.append(json.loads(message.data))


@asynccontextmanager
async def sockets(handle: Handle | None = None, port: int = 0) -> AsyncIterator[Sockets]:
    receiver = Sockets()

    async def connected(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=handle is None)
        await socket.prepare(request)
        receiver.connections += 1
        await (handle or receiver.take)(socket)
        return socket

    app = web.Application()
    app.router.add_get("/relay", connected)
    async with served(app, port) as receiver.port:
        yield receiver


@pytest.fixture
async def relay() -> AsyncIterator[Sender]:
    async with senders() as opened:
        yield opened["relay"]


def said(index: int, url: str) -> Parcel:
    return spoken(final(f"text {index}"), index=index, url=url)


async def test_each_utterance_is_a_message_on_one_kept_connection_in_order(relay: Sender) -> None:
    async with sockets() as receiver:
        for index in range(20):
            assert await relay.send(said(index, receiver.url)) == DELIVERED
            # Delivered means read: it is there already.
            assert receiver.read[-1] == json.loads(relay_form(said(index, receiver.url)) or b"")
    assert [message["utterance"] for message in receiver.read] == list(range(20))
    assert receiver.connections == 1


async def test_the_case_of_a_scheme_means_nothing(relay: Sender) -> None:
    async with sockets() as receiver:
        assert await relay.send(said(0, receiver.url.replace("ws:", "WS:"))) == DELIVERED
    assert [message["utterance"] for message in receiver.read] == [0]


async def test_sessions_share_a_connection(relay: Sender) -> None:
    async with sockets() as receiver:
        both = [
            relay.send(spoken(final(), index=index, session=session, url=receiver.url))
            for index in range(30)
            for session in (NAMED, spoken(final()).session)
        ]
        assert await asyncio.gather(*both) == [DELIVERED] * 60
    assert receiver.connections == 1
    for name in {message["session_id"] for message in receiver.read}:
        mine = [m["utterance"] for m in receiver.read if m["session_id"] == name]
        assert mine == list(range(30))


async def test_what_nobody_reads_is_not_delivered() -> None:
    """A receiver that is stuck has the message in its kernel, and never looks at it."""

    async def never_read(socket: web.WebSocketResponse) -> None:
        await asyncio.sleep(60)

    async with sockets(never_read) as receiver, senders(delivery_seconds=0.3) as opened:
        assert await opened["relay"].send(said(0, receiver.url)) == Verdict("again", "timeout")
        assert await opened["relay"].send(said(0, receiver.url)) == Verdict("again", "timeout")
    # A connection that is stuck is given up, not used again.
    assert receiver.connections == 2


async def test_a_receiver_that_dies_with_a_message_in_hand_gets_it_again(relay: Sender) -> None:
    taken: list[str] = []

    async def die(socket: web.WebSocketResponse) -> None:
        message = await socket.receive()
        taken.append(message.data)
        if len(taken) == 1:
            assert socket._req is not None
            transport = socket._req.transport
            assert transport is not None
            transport.abort()
            return
        async for message in socket:
            await socket.pong(message.data)

    async with sockets(die) as receiver:
        first = await relay.send(said(0, receiver.url))
        assert (first.kind, first.reason) == ("again", "lost")
        assert await relay.send(said(0, receiver.url)) == DELIVERED
    assert taken[0] == taken[1]


async def test_a_connection_that_breaks_behind_a_message_leaves_nobody_waiting() -> None:
    class Breaking:
        async def send_str(self, text: str) -> None:
            pass

        async def ping(self, number: bytes) -> None:
            raise ConnectionResetError

    line = Line(Breaking())  # type: ignore[arg-type]
    with pytest.raises(ConnectionResetError):
        await line.deliver(Message("text"))
    assert line._waiting == {}


async def test_a_receiver_that_went_away_is_found_again(relay: Sender) -> None:
    port = free_port()
    async with sockets(port=port) as receiver:
        assert await relay.send(said(0, receiver.url)) == DELIVERED
    for _ in range(2):
        assert (await relay.send(said(1, receiver.url))).kind == "again"
    async with sockets(port=port) as receiver:
        assert await relay.send(said(1, receiver.url)) == DELIVERED
    assert [message["utterance"] for message in receiver.read] == [1]


async def test_a_connection_that_was_closed_meanwhile_costs_no_try(relay: Sender) -> None:
    closed = asyncio.Event()

    async def close_after_one(socket: web.WebSocketResponse) -> None:
        await socket.receive()
        ping = await socket.receive()
        await socket.pong(ping.data)
        await socket.close(code=1001)
        closed.set()

    async with sockets(close_after_one) as receiver:
        for index in range(3):
            assert await relay.send(said(index, receiver.url)) == DELIVERED
            await closed.wait()
            closed.clear()
    assert receiver.connections == 3


async def test_one_pong_may_answer_all_pings_before_it(relay: Sender) -> None:
    """So a receiver may that is slow: RFC 6455, 5.5.3."""

    async def answer_the_fourth(socket: web.WebSocketResponse) -> None:
        pings = 0
        async for message in socket:
            if message.type is WSMsgType.PING and (pings := pings + 1) == 4:
                await socket.pong(b"not one of yours")
                await socket.pong(message.data)

    async with sockets(answer_the_fourth) as receiver:
        sends = [relay.send(said(index, receiver.url)) for index in range(4)]
        assert await asyncio.gather(*sends) == [DELIVERED] * 4


async def test_a_pong_that_answers_no_ping_says_nothing() -> None:
    async def pong_at_once(socket: web.WebSocketResponse) -> None:
        await socket.pong(b"\xff" * 8)
        async for message in socket:
            await socket.pong(b"" if message.type is WSMsgType.TEXT else b"something else")

    async with sockets(pong_at_once) as receiver, senders(delivery_seconds=0.5) as opened:
        assert await opened["relay"].send(said(0, receiver.url)) == Verdict("again", "timeout")


async def test_a_receiver_that_asks_whether_anybody_is_there_is_answered(relay: Sender) -> None:
    answered = asyncio.Event()

    async def ask(socket: web.WebSocketResponse) -> None:
        await socket.ping(b"are you there")
        async for message in socket:
            if message.type is WSMsgType.PING:
                await socket.pong(message.data)
            elif message.type is WSMsgType.PONG and message.data == b"are you there":
                answered.set()

    async with sockets(ask) as receiver, asyncio.timeout(60):
        assert await relay.send(said(0, receiver.url)) == DELIVERED
        await answered.wait()


async def test_what_a_receiver_says_is_read_and_forgotten(relay: Sender) -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        async for message in socket:
            await socket.send_str("thank you" * 1000)
            await socket.send_bytes(b"\0" * 1000)
            if message.type is WSMsgType.PING:
                await socket.pong(message.data)

    async with sockets(talk) as receiver:
        for index in range(5):
            assert await relay.send(said(index, receiver.url)) == DELIVERED
    assert receiver.connections == 1


async def test_a_message_beyond_all_measure_ends_the_connection(relay: Sender) -> None:
    async def flood(socket: web.WebSocketResponse) -> None:
        await socket.receive()
        await socket.send_bytes(bytes(2 * wires.MESSAGE_BYTES))

    async with sockets(flood) as receiver:
        assert (await relay.send(said(0, receiver.url))).kind == "again"


@pytest.mark.parametrize(
    ("status", "headers", "verdict"),
    [
        (410, {}, Verdict("gone", "http_410")),
        (503, {"Retry_After": "30"}, Verdict("again", "http_503", 30.0)),
        (404, {}, Verdict("again", "http_404")),
        (200, {}, Verdict("again", "broken_answer")),
        (302, {"Location": "/elsewhere"}, Verdict("again", "http_302")),
    ],
)
async def test_a_handshake_that_is_refused_says_why(
    relay: Sender, status: int, headers: dict[str, str], verdict: Verdict
) -> None:
    async with receiving(answering(status, **headers)) as receiver:
        assert await relay.send(said(0, receiver.url(scheme="ws"))) == verdict
    assert [got.path for got in receiver.got] == ["/in"]


async def test_a_handshake_may_say_until_when_to_wait(relay: Sender) -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    async with receiving(answering(503, Retry_After=until)) as receiver:
        verdict = await relay.send(said(0, receiver.url(scheme="ws")))
    assert (verdict.kind, verdict.reason) == ("again", "http_503")
    assert 30 < verdict.after_seconds <= 60


async def test_a_handshake_that_is_none_is_a_failure(relay: Sender) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     b"Connection: upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n")  # fmt: skip
        await writer.drain()

    async with raw(speak) as port:
        sent = said(0, f"ws://127.0.0.1:{port}/relay")
        assert await relay.send(sent) == Verdict("again", "broken_answer")


async def test_a_connection_that_says_nothing_is_closed(
    relay: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wires, "IDLE_SECONDS", 0.1)
    ended = asyncio.Event()

    async def until_the_end(socket: web.WebSocketResponse) -> None:
        async for message in socket:
            if message.type is WSMsgType.PING:
                await socket.pong(message.data)
        ended.set()

    async with sockets(until_the_end) as receiver, asyncio.timeout(60):
        assert await relay.send(said(0, receiver.url)) == DELIVERED
        await ended.wait()
        assert await relay.send(said(1, receiver.url)) == DELIVERED
    assert receiver.connections == 2


async def test_of_too_many_receivers_the_one_that_rests_longest_is_let_go(
    relay: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = relay._wires  # type: ignore[attr-defined]
    kept.most = 2
    async with sockets() as one, sockets() as two, sockets() as three:
        for receiver in (one, two, one, three, one, two):
            assert await relay.send(said(0, receiver.url)) == DELIVERED
        assert (one.connections, two.connections, three.connections) == (1, 2, 1)


async def test_receivers_of_sessions_that_hang_hold_up_none_of_the_installation() -> None:
    arrived = asyncio.Event()

    async def hang(socket: web.WebSocketResponse) -> None:
        arrived.set()
        await asyncio.sleep(3600)

    async with sockets(hang) as hanging, sockets() as own, senders(relay_url=own.url) as opened:
        relay = opened["relay"]
        relay._wires.most = 1  # type: ignore[attr-defined]
        stuck = asyncio.create_task(relay.send(said(0, hanging.url)))
        await arrived.wait()
        assert (await relay.send(said(0, f"{hanging.url}?other"))).reason == "lost"
        sent = said(1, own.url)
        named = replace(sent.destination, name="relay", secret="")
        assert await relay.send(dataclasses.replace(sent, destination=named)) == DELIVERED
        stuck.cancel()
        await asyncio.wait({stuck})
    assert [message["utterance"] for message in own.read] == [1]


async def test_over_http_it_is_posted_with_an_id_and_a_signature(relay: Sender) -> None:
    async with receiving() as receiver:
        sent = said(3, receiver.url())
        assert await relay.send(sent) == DELIVERED
    (got,) = receiver.got
    assert got.body == relay_form(sent)
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["webhook-id"] == sent.id
    assert got.headers["webhook-signature"].startswith("v1,")
