"""Who is let in by the fake, and which requests are not."""

import time

import pytest
from amazon_transcribe.exceptions import BadRequestException, UnknownServiceException
from tests.fake_transcribe.authority import Authority
from tests.fake_transcribe.client import answer_of, client_of, end_of, send, start, transcribed
from tests.fake_transcribe.hearing import Line, scripted
from tests.fake_transcribe.server import serve
from tests.fake_transcribe.service import Service
from tests.fake_transcribe.signing import Credentials

SECOND = bytes(32_000)
LISTEN = scripted(Line("one", at=1.0), Line("all", start=1.0))


async def test_an_event_that_is_heard_too_late_ends_the_stream(authority: Authority) -> None:
    service = Service(listen=LISTEN)
    # Here a second of audio takes 100 s to understand.
    service.clock = lambda: time.time() + 100 * service.journal.streams[-1].audio_seconds
    async with serve(service, authority) as fake:
        answer = await transcribed(fake, 10 * SECOND)
    assert answer.text == "one"
    assert isinstance(answer.error, BadRequestException)
    assert "Signature expired" in answer.error.message
    assert fake.journal.streams[0].audio_seconds == 3.0
    assert fake.journal.signature_failures == 1


async def test_an_event_out_of_its_chain_ends_the_stream(authority: Authority) -> None:
    async with serve(Service(listen=LISTEN), authority) as fake:
        stream = await start(client_of(fake))
        stream.input_stream._prior_signature = bytes(32)
        await send(stream, SECOND)
        answer = await answer_of(stream)
    assert isinstance(answer.error, BadRequestException)
    assert fake.journal.signature_failures == 1
    assert fake.journal.streams[0].audio_events == 0


@pytest.mark.parametrize(
    "credentials", [Credentials("AKIDEXAMPLE", "?"), Credentials("AK", "secret")]
)
async def test_a_wrong_secret_is_not_let_in(authority: Authority, credentials: Credentials) -> None:
    async with serve(Service(listen=LISTEN), authority) as fake:
        with pytest.raises(UnknownServiceException) as refused:
            await start(client_of(fake, credentials))
    assert (refused.value.status_code, refused.value.error_code) == (
        403,
        "UnrecognizedClientException",
    )
    assert fake.journal.signature_failures == 1


async def test_temporary_credentials_are_let_in(authority: Authority) -> None:
    temporary = Credentials("ASIA", "secret", "token/of=today")
    async with serve(Service(listen=LISTEN, credentials=[temporary]), authority) as fake:
        stream = await start(client_of(fake, temporary))
        await end_of(stream)
        assert (await answer_of(stream)).text == "all"
        with pytest.raises(UnknownServiceException):
            await start(client_of(fake, Credentials("ASIA", "secret")))


async def test_a_contradiction_is_refused_before_the_stream(authority: Authority) -> None:
    async with serve(Service(listen=LISTEN, vocabularies=frozenset({"mine"})), authority) as fake:
        client = client_of(fake)
        with pytest.raises(BadRequestException, match="cannot be used together"):
            await start(
                client,
                show_speaker_label=True,
                enable_channel_identification=True,
                number_of_channels=2,
            )
        with pytest.raises(BadRequestException, match="no vocabulary yours"):
            await start(client, vocabulary_name="yours")
        stream = await start(client, vocabulary_name="mine")
        await end_of(stream)
        assert (await answer_of(stream)).text == "all"
