"""What the fake says frame by frame, seen by a client that hides nothing."""

import asyncio
import json
import ssl
from typing import Any

import pytest
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from tests.fake_transcribe.authority import Authority
from tests.fake_transcribe.behaviours import Behaviour, Failure, How, Rule
from tests.fake_transcribe.eventstream import Decoder, Message
from tests.fake_transcribe.hearing import Line, scripted
from tests.fake_transcribe.raw_client import PATH, connected
from tests.fake_transcribe.server import serve
from tests.fake_transcribe.service import Limits, Service

AT_THE_END = scripted(Line("all there is"))


def fields(events: list[Any]) -> dict[str, str]:
    """Give the headers of the answer among events."""
    (answer,) = (event for event in events if isinstance(event, ResponseReceived))
    return dict(answer.headers)


def frames(events: list[Any]) -> list[bytes]:
    return [event.data for event in events if isinstance(event, DataReceived) and event.data]


async def test_an_answer_begins_before_any_audio(authority: Authority) -> None:
    async with serve(Service(listen=AT_THE_END), authority) as fake, connected(fake) as raw:
        stream = await raw.ask()
        headers = fields(await raw.until(ResponseReceived))
        assert headers[":status"] == "200"
        assert headers["content-type"] == "application/vnd.amazon.eventstream"
        assert headers["x-amzn-request-id"] == fake.journal.streams[0].request_id
        assert headers["x-amzn-transcribe-session-id"] == fake.journal.streams[0].session_id
        await raw.end(stream)
        (data,) = frames(await raw.until(StreamEnded))
    (message,) = Decoder().feed(data)
    assert message.headers == {
        ":message-type": "event",
        ":event-type": "TranscriptEvent",
        ":content-type": "application/json",
    }
    (result,) = json.loads(message.payload)["Transcript"]["Results"]
    assert result["Alternatives"][0]["Transcript"] == "all there is"


async def test_a_refusal_is_a_complete_answer(authority: Authority) -> None:
    rules = [Rule(Behaviour(refuse="ServiceUnavailableException"))]
    service = Service(listen=AT_THE_END, rules=rules)
    async with serve(service, authority) as fake, connected(fake) as raw:
        await raw.ask()
        events = await raw.until(StreamEnded)
    assert fields(events)[":status"] == "503"
    assert fields(events)["x-amzn-errortype"].split(":")[0] == "ServiceUnavailableException"
    assert json.loads(b"".join(frames(events))) == {"Message": "as scripted"}


@pytest.mark.parametrize(("method", "path"), [("GET", PATH), ("POST", "/stream-transcriptions")])
async def test_there_is_one_operation(authority: Authority, method: str, path: str) -> None:
    async with serve(Service(listen=AT_THE_END), authority) as fake, connected(fake) as raw:
        await raw.ask(path, method)
        assert fields(await raw.until(StreamEnded))[":status"] == "404"


@pytest.mark.parametrize("size", [1, 10])
async def test_frames_are_as_small_as_they_are_wanted(authority: Authority, size: int) -> None:
    service = Service(listen=AT_THE_END, rules=[Rule(Behaviour(frame_bytes=size))])
    async with serve(service, authority) as fake, connected(fake) as raw:
        await raw.end(await raw.ask())
        pieces = frames(await raw.until(StreamEnded))
    assert {len(piece) for piece in pieces[:-1]} == {size}


async def test_events_share_a_frame_where_they_are_wanted_together(authority: Authority) -> None:
    listen = scripted(*(Line(f"{number}") for number in range(5)))
    service = Service(listen=listen, rules=[Rule(Behaviour(events_per_frame=3))])
    async with serve(service, authority) as fake, connected(fake) as raw:
        await raw.end(await raw.ask())
        pieces = frames(await raw.until(StreamEnded))
    assert [len(list(Decoder().feed(piece))) for piece in pieces] == [3, 2]


async def test_an_answer_waits_for_credit(authority: Authority) -> None:
    async with serve(Service(listen=AT_THE_END), authority) as fake, connected(fake) as raw:
        stream = await raw.ask(window=100)
        await raw.end(stream)
        pieces = frames(await raw.until(DataReceived))
        assert len(pieces[0]) == 100
        raw.h2.increment_flow_control_window(50, stream)
        await raw.flush()
        assert [len(piece) for piece in frames(await raw.until(DataReceived))] == [50]
        raw.h2.increment_flow_control_window(10_000, stream)
        await raw.flush()
        pieces += frames(await raw.until(StreamEnded))
        assert fake.journal.streams[0].outcome == "done"


async def test_credit_is_given_back_for_what_is_understood(authority: Authority) -> None:
    limits = Limits(window_bytes=100_000)
    rules = [Rule(Behaviour(headers_delay=0.3))]
    service = Service(listen=AT_THE_END, limits=limits, rules=rules)
    async with serve(service, authority) as fake, connected(fake) as raw:
        await raw.until(WindowUpdated)  # of the connection, whose window is large
        stream = await raw.ask()
        begun = Message({}, bytes(64_000)).encode()
        for place in range(0, 64_000, 16_000):
            raw.h2.send_data(stream, begun[place : place + 16_000])
        await raw.flush()
        before = await raw.until(ResponseReceived)
        assert not any(isinstance(event, WindowUpdated) for event in before)
        (*_, credit) = await raw.until(WindowUpdated)
    assert credit.delta > 0


async def test_credit_is_given_back_for_what_is_wrong(authority: Authority) -> None:
    service = Service(listen=AT_THE_END, limits=Limits(window_bytes=100_000))
    async with serve(service, authority) as fake, connected(fake) as raw:
        await raw.until(WindowUpdated)
        stream = await raw.ask()
        await raw.until(ResponseReceived)
        for _ in range(4):
            raw.h2.send_data(stream, bytes(16_000))
        await raw.flush()
        # It comes when more than half of the window is owed: here that takes all of the pieces.
        (*_, credit) = await raw.until(WindowUpdated)
        assert fake.journal.streams[0].outcome == "BadRequestException"
    assert credit.delta > 0


@pytest.mark.parametrize("early", [True, False])
async def test_credit_is_given_back_for_what_nobody_wants(
    authority: Authority, early: bool
) -> None:
    refuse = Behaviour(refuse="ServiceUnavailableException", headers_delay=0.5 if early else 0)
    service = Service(listen=AT_THE_END, rules=[Rule(refuse)])
    async with serve(service, authority) as fake, connected(fake) as raw:
        await raw.until(WindowUpdated)
        stream = await raw.ask()
        if not early:
            await raw.until(StreamEnded)
        for _ in range(4):
            raw.h2.send_data(stream, bytes(16_000))
        await raw.flush()
        (*_, credit) = await raw.until(WindowUpdated)
    assert credit.delta > 0


async def test_a_stream_that_the_client_resets_leaves_its_place(authority: Authority) -> None:
    gone = asyncio.Event()
    service = Service(listen=AT_THE_END, limits=Limits(streams=1), ended=lambda _record: gone.set())
    async with serve(service, authority) as fake, connected(fake) as raw:
        stream = await raw.ask()
        await raw.until(ResponseReceived)
        raw.h2.reset_stream(stream, ErrorCodes.CANCEL)
        await raw.flush()
        await asyncio.wait_for(gone.wait(), 60)
        again = await raw.ask()
        assert fields(await raw.until(ResponseReceived))[":status"] == "200"
        await raw.end(again)
        await raw.until(StreamEnded)
    assert [stream.outcome for stream in fake.journal.streams] == ["client", "done"]


@pytest.mark.parametrize(("how", "last"), [(How.RESET, None), (How.GOAWAY, 0), (How.DRAIN, 1)])
async def test_each_way_to_break_off_has_its_frame(
    authority: Authority, how: How, last: int | None
) -> None:
    service = Service(listen=AT_THE_END, rules=[Rule(Behaviour(failure=Failure(how)))])
    async with serve(service, authority) as fake, connected(fake) as raw:
        stream = await raw.ask()
        if last is None:
            (*_, reset) = await raw.until(StreamReset)
            assert (reset.stream_id, reset.error_code) == (stream, ErrorCodes.INTERNAL_ERROR)
            return
        (*_, left) = await raw.until(ConnectionTerminated)
        assert (left.last_stream_id, left.error_code) == (last, ErrorCodes.NO_ERROR)


async def test_a_mute_stream_does_not_even_say_what_is_wrong(authority: Authority) -> None:
    service = Service(listen=AT_THE_END, rules=[Rule(Behaviour(failure=Failure(How.MUTE)))])
    async with serve(service, authority) as fake, connected(fake) as raw:
        raw.h2.send_data(await raw.ask(), bytes(100))
        await raw.flush()
        assert frames(await raw.until(StreamEnded)) == []
        assert fake.journal.streams[0].outcome == "BadRequestException"


async def test_bytes_that_are_no_http2_close_the_connection_alone(authority: Authority) -> None:
    async with serve(Service(listen=AT_THE_END), authority) as fake:
        context = ssl.create_default_context(cafile=fake.ca_file)
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", fake.port, ssl=context, server_hostname="localhost"
        )
        writer.write(b"GET /stream-transcription HTTP/1.1\r\nhost: localhost\r\n\r\n")
        async with asyncio.timeout(60):
            while await reader.read(65_536):
                pass
        writer.transport.abort()
        async with connected(fake) as raw:
            await raw.end(await raw.ask())
            await raw.until(StreamEnded)
