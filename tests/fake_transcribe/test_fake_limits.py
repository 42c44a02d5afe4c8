"""The fake keeps the bounds of the service."""

import asyncio
import time
from uuid import uuid4

import pytest
from amazon_transcribe.exceptions import (
    BadRequestException,
    ConflictException,
    LimitExceededException,
)
from amazon_transcribe.model import AudioEvent
from tests.fake_transcribe import errors
from tests.fake_transcribe.authority import Authority
from tests.fake_transcribe.client import (
    Answer,
    answer_of,
    client_of,
    end_of,
    send,
    start,
    transcribed,
)
from tests.fake_transcribe.hearing import Line, scripted
from tests.fake_transcribe.server import serve
from tests.fake_transcribe.service import Limits, Service

SECOND = bytes(32_000)
LISTEN = scripted(Line("one", at=1.0), Line("all", start=1.0))


async def test_fifteen_seconds_without_audio_end_a_stream(authority: Authority) -> None:
    assert Limits().idle_seconds == 15.0
    service = Service(listen=LISTEN, limits=Limits(idle_seconds=1.5))
    async with serve(service, authority) as fake:
        stream = await start(client_of(fake))
        began = time.monotonic()
        for _ in range(4):
            await send(stream, SECOND[:3_200], end=False)
            await asyncio.sleep(0.6)
        answer = await answer_of(stream)
        assert time.monotonic() - began >= 3.2
    assert isinstance(answer.error, BadRequestException)
    assert answer.error.message == (
        "Your request timed out because no new audio was received for 15 seconds."
    )
    assert fake.journal.streams[0].audio_events == 4


async def test_a_stream_holds_four_hours_of_audio(authority: Authority) -> None:
    assert Limits().stream_seconds == 14_400.0
    service = Service(listen=LISTEN, limits=Limits(stream_seconds=2.0))
    async with serve(service, authority) as fake:
        assert (await transcribed(fake, 2 * SECOND)).text == "one all"
        answer = await transcribed(fake, 2 * SECOND + bytes(320), pause=0.001)
    assert isinstance(answer.error, LimitExceededException)
    assert answer.error.message == errors.TOO_LONG
    assert [stream.audio_seconds for stream in fake.journal.streams] == [2.0, 2.01]


async def test_only_so_many_streams_are_open_at_once(authority: Authority) -> None:
    service = Service(listen=LISTEN, limits=Limits(streams=2))
    async with serve(service, authority) as fake:
        client = client_of(fake)
        first, second = await start(client), await start(client)
        with pytest.raises(LimitExceededException):
            await start(client)
        await end_of(first)
        assert (await answer_of(first)).text == "all"
        third = await start(client)
        for stream in (second, third):
            await end_of(stream)
            assert (await answer_of(stream)).error is None
    assert fake.journal.most_open == 2
    assert fake.journal.errors == {"LimitExceededException": 1}


async def test_a_session_that_starts_again_ends_its_older_stream(authority: Authority) -> None:
    session = str(uuid4())
    async with serve(Service(listen=LISTEN), authority) as fake:
        client = client_of(fake)
        older = await start(client, session_id=session)
        await send(older, SECOND, end=False)
        newer = await start(client, session_id=session)
        answer = await answer_of(older)
        assert isinstance(answer.error, ConflictException)
        assert answer.error.message == errors.STARTED_AGAIN
        await send(newer, SECOND)
        assert (await answer_of(newer)).text == "one all"
        again = await start(client, session_id=session)
        await end_of(again)
        assert (await answer_of(again)).error is None
    assert [stream.outcome for stream in fake.journal.of_session(session)] == [
        "ConflictException",
        "done",
        "done",
    ]


async def one_event(authority: Authority, audio: bytes, **parameters: object) -> Answer:
    async with serve(Service(listen=LISTEN), authority) as fake:
        stream = await start(client_of(fake), **parameters)
        await stream.input_stream.send_audio_event(audio_chunk=audio)
        await end_of(stream)
        return await answer_of(stream)


async def test_an_event_holds_32_kilobytes(authority: Authority) -> None:
    assert (await one_event(authority, bytes(32_768))).error is None
    answer = await one_event(authority, bytes(32_770))
    assert isinstance(answer.error, BadRequestException)
    assert answer.error.message == errors.TOO_BIG


@pytest.mark.parametrize(
    ("length", "parameters"),
    [(3_201, {}), (3_202, {"enable_channel_identification": True, "number_of_channels": 2})],
)
async def test_no_sample_lies_in_two_events(
    authority: Authority, length: int, parameters: dict[str, object]
) -> None:
    answer = await one_event(authority, bytes(length), **parameters)
    assert isinstance(answer.error, BadRequestException)
    assert answer.error.message == errors.UNDECODABLE


async def test_bytes_that_are_no_flac_are_refused(authority: Authority) -> None:
    answer = await one_event(authority, bytes(range(256)) * 64, media_encoding="flac")
    assert isinstance(answer.error, BadRequestException)


async def test_an_event_of_another_kind_is_refused(authority: Authority) -> None:
    async with serve(Service(listen=LISTEN), authority) as fake:
        stream = await start(client_of(fake))
        stream.input_stream._event_serializer = _Configuring()
        await stream.input_stream.send_audio_event(audio_chunk=b"{}")
        answer = await answer_of(stream)
    assert isinstance(answer.error, BadRequestException)
    assert answer.error.message == "The event is not an AudioEvent."


class _Configuring:
    def serialize(self, event: AudioEvent) -> tuple[dict[str, str], bytes]:
        headers = {":message-type": "event", ":event-type": "ConfigurationEvent"}
        return headers, event.payload


async def test_an_event_without_audio_is_the_end_of_it(authority: Authority) -> None:
    async with serve(Service(listen=LISTEN), authority) as fake:
        stream = await start(client_of(fake))
        await stream.input_stream.send_audio_event(audio_chunk=SECOND)
        await stream.input_stream.send_audio_event(audio_chunk=b"")
        # This client takes no end of an answer for one before the request has ended too.
        stream.input_stream._input_stream.end_stream()
        assert (await answer_of(stream)).text == "one all"
    assert fake.journal.streams[0].end_of_audio == "event"


async def test_the_end_of_the_request_is_the_end_of_the_audio(authority: Authority) -> None:
    async with serve(Service(listen=LISTEN), authority) as fake:
        stream = await start(client_of(fake))
        await stream.input_stream.send_audio_event(audio_chunk=SECOND)
        stream.input_stream._input_stream.end_stream()
        assert (await answer_of(stream)).text == "one all"
    assert fake.journal.streams[0].end_of_audio == "stream"


async def test_silence_is_answered_with_events_without_results(authority: Authority) -> None:
    listen = scripted(Line("one", at=1.5))
    service = Service(listen=listen, limits=Limits(heartbeat_seconds=1.0))
    async with serve(service, authority) as fake:
        answer = await transcribed(fake, 4 * SECOND)
    assert (answer.text, answer.empty) == ("one", 3)
    assert [sent.audio for sent in fake.journal.streams[0].sent] == [1.0, 1.5, 2.5, 3.5]


async def test_only_so_much_is_taken_before_it_is_understood(authority: Authority) -> None:
    service = Service(listen=LISTEN, limits=Limits(window_bytes=65_536))
    async with serve(service, authority) as fake:
        answer = await transcribed(fake, 60 * SECOND)
    (stream,) = fake.journal.streams
    assert answer.text == "one all"
    assert (stream.audio_seconds, stream.audio_events) == (60.0, 600)
    assert stream.pace > 2, "faster than real time is borne, and measured"


async def test_what_comes_too_fast_has_to_wait(authority: Authority) -> None:
    service = Service(listen=LISTEN, limits=Limits(pace=10.0))
    async with serve(service, authority) as fake:
        began = time.monotonic()
        assert (await transcribed(fake, 10 * SECOND)).text == "one all"
        assert time.monotonic() - began >= 1.0
    assert fake.journal.streams[0].pace <= 11
