"""R1: a relay's receiver that says what it has kept gets again whatever it did not say."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import WSMessage, WSMsgType, web
from tests.integration.receiver_rig import senders, served
from tests.unit.notifier.parcels import final, spoken
from tests.waiting import PATIENCE_SECONDS

from steno_notifier.domain.outgoing import Parcel, Sender, Verdict
from steno_notifier.senders.line import Line, Message

DELIVERED = Verdict("delivered")
LOST = Verdict("again", "lost")
PROOF = b"have you read all before this"


@dataclass
class Program:
    """A receiver's end of a connection, which says what a test has it say."""

    socket: web.WebSocketResponse
    pongs: bool = True
    """Whether its library answers pings."""
    came: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    """Ids of messages, each with the ping behind it, which the library has answered."""
    _proved: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Read ahead of what the program does, as a library may."""
        newest = ""
        async for message in self.socket:
            match message.type:
                case WSMsgType.TEXT:
                    newest = json.loads(message.data)["id"]
                case WSMsgType.PING:
                    if self.pongs:
                        await self.socket.pong(message.data)
                    self.came.put_nowait(newest)
                case WSMsgType.PONG:
                    self._proved.set()

    async def say(self, text: str) -> None:
        await self.socket.send_str(text)

    async def heard(self) -> None:
        """Return once Steno has read all that was said."""
        self._proved.clear()
        await self.socket.ping(PROOF)
        await self._proved.wait()


@dataclass
class Programs:
    """A WebSocket receiver: the programs that were connected to, one after the other."""

    url: str = ""
    connected: asyncio.Queue[Program] = field(default_factory=asyncio.Queue)


@asynccontextmanager
async def programs(*, pongs: bool = True) -> AsyncIterator[Programs]:
    receiver = Programs()

    async def connect(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        program = Program(socket, pongs)
        receiver.connected.put_nowait(program)
        await program.run()
        return socket

    app = web.Application()
    app.router.add_get("/", connect)
    async with served(app) as port:
        receiver.url = f"ws://127.0.0.1:{port}/"
        async with asyncio.timeout(2 * PATIENCE_SECONDS):
            yield receiver


@pytest.fixture
async def relay() -> AsyncIterator[Sender]:
    async with senders() as opened:
        yield opened["relay"]


def said(url: str, index: int = 0, *, answers: bool = True) -> Parcel:
    return spoken(final(f"text {index}"), index=index, url=url, answers=answers)


def sending(relay: Sender, parcel: Parcel) -> asyncio.Task[Verdict]:
    return asyncio.create_task(relay.send(parcel), name=parcel.id)


def line(relay: Sender) -> Line:
    """Give the one connection that there is."""
    (wire,) = relay._wires._wires.values()  # type: ignore[attr-defined]
    found = wire._line
    assert isinstance(found, Line)
    return found


async def test_a_message_is_taken_once_its_id_was_said_not_when_it_was_read(relay: Sender) -> None:
    async with programs() as receiver:
        sent = said(receiver.url)
        trying = sending(relay, sent)
        program = await receiver.connected.get()
        assert await program.came.get() == sent.id
        await program.heard()
        assert not trying.done()
        await program.say(sent.id)
        assert await trying == DELIVERED


async def test_answers_come_in_any_order(relay: Sender) -> None:
    async with programs() as receiver:
        parcels = [said(receiver.url, index) for index in range(16)]
        trying = {parcel.id: sending(relay, parcel) for parcel in parcels}
        program = await receiver.connected.get()
        came = [await program.came.get() for _ in parcels]
        assert sorted(came) == sorted(trying)
        for name in reversed(came):
            await program.say(name)
            assert await trying.pop(name) == DELIVERED
            assert not any(other.done() for other in trying.values())


async def test_what_is_no_answer_to_anything_is_read_and_forgotten(relay: Sender) -> None:
    async with programs() as receiver:
        sent = said(receiver.url)
        trying = sending(relay, sent)
        program = await receiver.connected.get()
        await program.came.get()
        for number in range(5_000):
            await program.say(f"{sent.id}{number}")
        as_json = json.dumps({"id": sent.id})
        for wrong in ("", f" {sent.id}", f'"{sent.id}"', as_json, "x" * 100_000):
            await program.say(wrong)
        await program.socket.send_bytes(sent.id.encode())
        await program.heard()
        assert not trying.done()
        assert len(line(relay)._waiting) == len(line(relay)._receipts._open) == 1
        for _ in range(3):
            await program.say(sent.id)
        assert await trying == DELIVERED
        assert (line(relay)._waiting, line(relay)._receipts._open) == ({}, {})
        assert receiver.connected.empty()


async def test_what_is_said_without_being_asked_counts_for_nothing(relay: Sender) -> None:
    async with programs(pongs=False) as receiver:
        sent = said(receiver.url, answers=False)
        trying = sending(relay, sent)
        program = await receiver.connected.get()
        await program.came.get()
        await program.say(sent.id)
        await program.heard()
        assert not trying.done()
        await program.socket.pong((1).to_bytes(8))
        assert await trying == DELIVERED


async def test_an_answer_is_enough_of_who_does_not_answer_pings(relay: Sender) -> None:
    async with programs(pongs=False) as receiver:
        sent = said(receiver.url)
        trying = sending(relay, sent)
        program = await receiver.connected.get()
        await program.came.get()
        await program.say(sent.id)
        assert await trying == DELIVERED


async def test_destinations_with_answers_and_without_share_a_connection(relay: Sender) -> None:
    async with programs() as receiver:
        answered = sending(relay, said(receiver.url, 0))
        program = await receiver.connected.get()
        await program.came.get()
        assert await relay.send(said(receiver.url, 1, answers=False)) == DELIVERED
        assert not answered.done()
        await program.say(said(receiver.url, 0).id)
        assert await answered == DELIVERED
        assert receiver.connected.empty()


async def test_two_destinations_at_one_address_have_one_answer(relay: Sender) -> None:
    async with programs() as receiver:
        sent = said(receiver.url)
        both = [sending(relay, sent) for _ in range(2)]
        program = await receiver.connected.get()
        for _ in both:
            await program.came.get()
        await program.say(sent.id)
        assert await asyncio.gather(*both) == [DELIVERED, DELIVERED]


async def given_up(trying: asyncio.Task[Verdict]) -> None:
    """End a try as its limit does."""
    trying.cancel()
    await asyncio.wait({trying})
    assert trying.cancelled()


async def test_who_reads_but_does_not_answer_is_tried_again_on_the_same_connection(
    relay: Sender,
) -> None:
    async with programs() as receiver:
        sent = said(receiver.url)
        trying = sending(relay, sent)
        program = await receiver.connected.get()
        await program.came.get()
        await program.heard()
        await given_up(trying)
        assert line(relay)._waiting == {}
        again = sending(relay, sent)
        assert await program.came.get() == sent.id  # the same message, where the first one went
        await program.say(sent.id)  # late, about the first
        assert await again == DELIVERED
        assert receiver.connected.empty()


async def test_who_does_not_even_read_is_left(relay: Sender) -> None:
    async with programs(pongs=False) as receiver:
        sent = said(receiver.url)
        trying = sending(relay, sent)
        stuck = await receiver.connected.get()
        await stuck.came.get()
        await given_up(trying)
        again = sending(relay, sent)
        program = await receiver.connected.get()
        assert await program.came.get() == sent.id
        await program.say(sent.id)
        assert await again == DELIVERED


async def test_without_answers_whoever_has_not_read_a_message_is_left(relay: Sender) -> None:
    async with programs(pongs=False) as receiver:
        trying = [sending(relay, said(receiver.url, index, answers=False)) for index in range(2)]
        slow = await receiver.connected.get()
        for _ in trying:
            await slow.came.get()
        await slow.socket.pong((1).to_bytes(8))
        assert await trying[0] == DELIVERED
        await given_up(trying[1])
        again = sending(relay, said(receiver.url, 1, answers=False))
        program = await receiver.connected.get()
        assert await program.came.get() == said(receiver.url, 1).id
        await program.socket.pong((1).to_bytes(8))
        assert await again == DELIVERED


async def test_an_answer_in_the_moment_of_giving_up_harms_nobody() -> None:
    class Silent:
        async def send_str(self, text: str) -> None:
            sent.set()

        async def ping(self, number: bytes) -> None:
            pass

        async def close(self) -> None:
            pass

        async def __aiter__(self) -> AsyncIterator[WSMessage]:
            trying.cancel()
            yield WSMessage(WSMsgType.TEXT, "id", None)

    sent = asyncio.Event()
    line = Line(Silent())  # type: ignore[arg-type]
    trying = asyncio.create_task(line.deliver(Message("text", answer="id")), name="try")
    await sent.wait()
    await asyncio.sleep(0)  # it waits for its answer now
    await line.listen()
    await asyncio.wait({trying})
    assert trying.cancelled()
    assert line._waiting == {}


async def test_an_answer_that_does_not_come_is_a_try_that_failed() -> None:
    async with programs() as receiver, senders(delivery_seconds=0.3) as opened:
        assert await opened["relay"].send(said(receiver.url)) == Verdict("again", "timeout")


@pytest.mark.parametrize("said_before", [0, 1])
async def test_a_connection_that_ends_takes_along_what_was_not_answered(
    relay: Sender, said_before: int
) -> None:
    async with programs() as receiver:
        parcels = [said(receiver.url, index) for index in range(3)]
        trying = [sending(relay, parcel) for parcel in parcels]
        program = await receiver.connected.get()
        for _ in parcels:
            await program.came.get()
        for parcel in parcels[:said_before]:
            await program.say(parcel.id)
        await program.heard()
        assert program.socket._req is not None
        transport = program.socket._req.transport
        assert transport is not None
        transport.abort()
        verdicts = [DELIVERED] * said_before + [LOST] * (3 - said_before)
        assert await asyncio.gather(*trying) == verdicts
