"""What a client of the fake sees of each behaviour that is not well."""

import asyncio
import ssl

import pytest
from amazon_transcribe.exceptions import (
    BadRequestException,
    ConflictException,
    InternalFailureException,
    LimitExceededException,
    ServiceException,
    ServiceUnavailableException,
    UnknownServiceException,
)
from awscrt.exceptions import AwsCrtError
from tests.fake_transcribe.authority import Authority
from tests.fake_transcribe.behaviours import Behaviour, Failure, How, Rule, nth
from tests.fake_transcribe.client import answer_of, client_of, send, start, transcribed
from tests.fake_transcribe.hearing import Line, scripted
from tests.fake_transcribe.server import FakeTranscribe, serve
from tests.fake_transcribe.service import Service

SECOND = bytes(32_000)
COUNTING = scripted(*(Line(f"{number}", at=float(number)) for number in range(1, 9)))
EXCEPTIONS = (
    BadRequestException,
    ConflictException,
    InternalFailureException,
    LimitExceededException,
    ServiceUnavailableException,
)


def behaving(behaviour: Behaviour) -> Service:
    return Service(listen=COUNTING, rules=[Rule(behaviour)])


@pytest.mark.parametrize("kind", EXCEPTIONS)
async def test_a_request_is_refused(authority: Authority, kind: type[ServiceException]) -> None:
    async with serve(behaving(Behaviour(refuse=kind.__name__)), authority) as fake:
        with pytest.raises(kind, match="as scripted"):
            await start(client_of(fake))
    assert fake.journal.streams[0].outcome == kind.__name__
    assert fake.journal.errors == {kind.__name__: 1}


async def test_an_exception_that_clients_do_not_know(authority: Authority) -> None:
    behaviour = Behaviour(refuse="UnrecognizedClientException")
    async with serve(behaving(behaviour), authority) as fake:
        with pytest.raises(UnknownServiceException) as refused:
            await start(client_of(fake))
    assert (refused.value.status_code, refused.value.error_code) == (
        403,
        "UnrecognizedClientException",
    )


@pytest.mark.parametrize("kind", EXCEPTIONS)
async def test_an_exception_in_mid_stream(
    authority: Authority, kind: type[ServiceException]
) -> None:
    failure = Failure(How.EXCEPTION, 2.0, kind.__name__, "out of order")
    async with serve(behaving(Behaviour(failure=failure)), authority) as fake:
        answer = await transcribed(fake, 4 * SECOND, pause=0.001)
    assert answer.text == "1 2"
    assert type(answer.error) is kind
    assert answer.error.message == "out of order"
    (stream,) = fake.journal.streams
    assert (stream.outcome, stream.audio_seconds) == (kind.__name__, 2.0)
    assert stream.sent[-1].body == {"exception": kind.__name__, "Message": "out of order"}


async def test_an_exception_before_any_audio(authority: Authority) -> None:
    failure = Failure(How.EXCEPTION, name="ServiceUnavailableException")
    async with serve(behaving(Behaviour(failure=failure)), authority) as fake:
        answer = await answer_of(await start(client_of(fake)))
    assert isinstance(answer.error, ServiceUnavailableException)
    assert fake.journal.streams[0].audio_events == 0


@pytest.mark.parametrize("how", [How.RESET, How.GOAWAY, How.DROP])
async def test_a_stream_that_breaks_off_gives_what_came_before(
    authority: Authority, how: How
) -> None:
    async with serve(behaving(Behaviour(failure=Failure(how, 2.0))), authority) as fake:
        client = client_of(fake)
        stream = await start(client)
        await send(stream, 3 * SECOND, pause=0.001, end=False)
        answer = await answer_of(stream)
        with pytest.raises(AwsCrtError):
            await stream.output_stream._raw_stream.done
        again = await start(client)
        await send(again, SECOND)
        assert (await answer_of(again)).text == "1"
    # What was on its way when a connection broke may be lost with it.
    assert answer.text == "1 2" if how is How.RESET else "1 2".startswith(answer.text)
    assert answer.error is None
    assert [stream.outcome for stream in fake.journal.streams] == [how, "done"]
    # A reset ends the stream alone, all else its connection.
    assert fake.journal.connections == (1 if how is How.RESET else 2)


async def test_a_connection_that_drains_serves_its_stream_to_the_end(authority: Authority) -> None:
    failure = Failure(How.DRAIN, at=1.0)
    service = Service(listen=COUNTING, rules=[nth(1, Behaviour(failure=failure))])
    async with serve(service, authority) as fake:
        client = client_of(fake)
        stream = await start(client)
        await send(stream, 3 * SECOND)
        assert (await answer_of(stream)).text == "1 2 3"
        with pytest.raises(RuntimeError, match="GOAWAY_RECEIVED"):
            await start(client)
    assert fake.journal.streams[0].outcome == "done"


async def test_an_answer_that_ends_too_early_looks_complete(authority: Authority) -> None:
    failure = Failure(How.END, at=2.0)
    async with serve(behaving(Behaviour(failure=failure)), authority) as fake:
        answer = await transcribed(fake, 4 * SECOND, pause=0.001)
    assert (answer.text, answer.error) == ("1 2", None)
    assert fake.journal.streams[0].end_of_audio is None


async def test_a_stream_that_stalls_takes_no_more_audio(authority: Authority) -> None:
    async with serve(behaving(Behaviour(failure=Failure(How.STALL, 2.0))), authority) as fake:
        stream = await start(client_of(fake))
        await send(stream, 20 * SECOND)
        reading = asyncio.create_task(answer_of(stream), name="answer")
        (record,) = fake.journal.streams
        async with asyncio.timeout(60):
            while len(record.sent) < 2:  # noqa: ASYNC110 - the journal tells nobody
                await asyncio.sleep(0.01)
        done, _ = await asyncio.wait({reading}, timeout=0.7)
        assert not done
        assert [sent.audio for sent in record.sent] == [1.0, 2.0]
        assert (record.audio_seconds, record.outcome) == (2.0, How.STALL)
    assert (await reading).text == "1 2"


async def test_a_stream_that_stalls_stops_no_other_on_its_connection(authority: Authority) -> None:
    rules = [nth(1, Behaviour(failure=Failure(How.STALL)))]
    async with serve(Service(listen=COUNTING, rules=rules), authority) as fake:
        client = client_of(fake)
        stalled = await start(client)
        await send(stalled, 20 * SECOND, end=False)
        other = await start(client)
        await send(other, 2 * SECOND)
        assert (await answer_of(other)).text == "1 2"
        assert fake.journal.connections == 1


async def test_a_stream_that_is_mute_takes_all_audio(authority: Authority) -> None:
    async with serve(behaving(Behaviour(failure=Failure(How.MUTE, 0.0))), authority) as fake:
        answer = await transcribed(fake, 20 * SECOND)
        (stream,) = fake.journal.streams
        assert (answer.results, stream.sent, stream.audio_seconds) == ([], [], 20.0)


async def test_headers_come_late(authority: Authority) -> None:
    async with serve(behaving(Behaviour(headers_delay=0.5)), authority) as fake:
        assert (await transcribed(fake, SECOND)).text == "1"
        (stream,) = fake.journal.streams
        assert stream.answered is not None
        assert stream.answered - stream.opened >= 0.5


async def test_headers_never_come(authority: Authority) -> None:
    async with serve(behaving(Behaviour(no_headers=True)), authority) as fake:
        starting = asyncio.create_task(start(client_of(fake)), name="start")
        async with asyncio.timeout(60):
            while not fake.journal.streams:  # noqa: ASYNC110 - the journal tells nobody
                await asyncio.sleep(0.01)
        done, _ = await asyncio.wait({starting}, timeout=1.0)
        assert not done
        starting.cancel()
        await asyncio.wait({starting})
        (stream,) = fake.journal.streams
        assert (stream.outcome, stream.answered) == ("no_headers", None)


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(frame_bytes=1),
        Behaviour(frame_bytes=7),
        Behaviour(events_per_frame=3),
        Behaviour(events_per_frame=3, frame_bytes=100),
    ],
)
async def test_events_cut_up_or_together_say_the_same(
    authority: Authority, behaviour: Behaviour
) -> None:
    async with serve(behaving(behaviour), authority) as fake:
        answer = await transcribed(fake, 4 * SECOND)
    assert answer.events == [(False, "1"), (False, "2"), (False, "3"), (False, "4")]


async def test_events_without_results_stand_between_others(authority: Authority) -> None:
    async with serve(behaving(Behaviour(empty_results=True)), authority) as fake:
        answer = await transcribed(fake, 3 * SECOND)
    assert (answer.text, answer.empty) == ("1 2 3", 3)


async def test_results_come_late_even_behind_the_end_of_the_audio(authority: Authority) -> None:
    async with serve(behaving(Behaviour(results_delay=0.5)), authority) as fake:
        answer = await transcribed(fake, 2 * SECOND)
    (stream,) = fake.journal.streams
    assert answer.text == "1 2"
    assert stream.last_audio is not None
    assert stream.sent[-1].at - stream.last_audio >= 0.5


async def test_a_result_comes_behind_an_exception(authority: Authority) -> None:
    failure = Failure(How.EXCEPTION, at=2.0)
    behaviour = Behaviour(failure=failure, results_after_end=True)
    async with serve(behaving(behaviour), authority) as fake:
        answer = await transcribed(fake, 4 * SECOND, pause=0.001)
    assert isinstance(answer.error, InternalFailureException)
    assert [list(sent.body) for sent in fake.journal.streams[0].sent] == [
        ["Transcript"],
        ["Transcript"],
        ["exception", "Message"],
        ["Transcript"],
    ]


async def test_a_certificate_that_nobody_trusts_lets_no_client_in(authority: Authority) -> None:
    async with serve(Service(listen=COUNTING), authority) as fake:
        fake.show_certificate(trusted=False)
        # The library would say so too, behind a delay of 10 to 30 s.
        with pytest.raises(ssl.SSLCertVerificationError):
            await shaken_hands(fake)
        assert fake.journal.connections == 0
        fake.show_certificate(trusted=True)
        assert (await transcribed(fake, SECOND)).text == "1"


async def shaken_hands(fake: FakeTranscribe) -> None:
    trusting = ssl.create_default_context(cafile=fake.ca_file)
    _, writer = await asyncio.open_connection("localhost", fake.port, ssl=trusting)
    writer.transport.abort()


async def test_each_stream_has_the_behaviour_of_its_number(authority: Authority) -> None:
    rules = [nth(2, Behaviour(refuse="ServiceUnavailableException"))]
    async with serve(Service(listen=COUNTING, rules=rules), authority) as fake:
        client = client_of(fake)
        for refused in (False, True, False):
            if refused:
                with pytest.raises(ServiceUnavailableException):
                    await start(client)
                continue
            stream = await start(client)
            await send(stream, SECOND)
            assert (await answer_of(stream)).text == "1"
    assert [stream.outcome for stream in fake.journal.streams] == [
        "done",
        "ServiceUnavailableException",
        "done",
    ]
    assert fake.journal.connections == 1
