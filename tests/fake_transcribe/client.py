"""Amazon's own client library as a client of the fake."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from amazon_transcribe.auth import StaticCredentialResolver
from amazon_transcribe.client import TranscribeStreamingClient
from amazon_transcribe.endpoints import StaticEndpointResolver
from amazon_transcribe.exceptions import SDKError
from amazon_transcribe.model import Result, StartStreamTranscriptionEventStream
from awscrt.io import ClientTlsContext, TlsContextOptions
from tests.fake_transcribe.signing import DEFAULT, Credentials

CHUNK_BYTES: Final = 3_200
LIMIT_SECONDS: Final = 120.0


@dataclass
class Answer:
    """What a client got of a stream."""

    results: list[Result] = field(default_factory=list)
    empty: int = 0
    """Events without results."""
    error: SDKError | None = None

    @property
    def text(self) -> str:
        """The final text."""
        return " ".join(text for partial, text in self.events if not partial)

    @property
    def events(self) -> list[tuple[bool, str]]:
        """Whether each result is partial, with its text."""
        return [
            (bool(each.is_partial), alternative.transcript or "")
            for each in self.results
            for alternative in each.alternatives or ()
        ]


class Listening(Protocol):
    """The fake, in this process or in another."""

    @property
    def endpoint(self) -> str: ...

    @property
    def ca_file(self) -> str: ...


def client_of(fake: Listening, credentials: Credentials = DEFAULT) -> TranscribeStreamingClient:
    """Make a client that trusts the fake."""
    resolver: Any = StaticEndpointResolver
    client = TranscribeStreamingClient(
        region="eu-central-1",
        endpoint_resolver=resolver(fake.endpoint),
        credential_resolver=StaticCredentialResolver(
            credentials.key_id, credentials.secret, credentials.token
        ),
    )
    options = TlsContextOptions()
    options.override_default_trust_store_from_path(None, fake.ca_file)
    client._session_manager._tls_ctx = ClientTlsContext(options)  # there is no public way
    return client


async def start(
    client: TranscribeStreamingClient, **parameters: Any
) -> StartStreamTranscriptionEventStream:
    """Open a stream of PCM in English, unless the parameters say something else."""
    wanted = {
        "language_code": "en-US",
        "media_sample_rate_hz": 16_000,
        "media_encoding": "pcm",
        **parameters,
    }
    async with asyncio.timeout(LIMIT_SECONDS):
        return await client.start_stream_transcription(**wanted)


async def send(
    stream: StartStreamTranscriptionEventStream,
    audio: bytes,
    *,
    pause: float = 0.0,
    end: bool = True,
) -> None:
    """Send audio in events of 0.1 s, with a pause behind each."""
    for place in range(0, len(audio), CHUNK_BYTES):
        await stream.input_stream.send_audio_event(audio_chunk=audio[place : place + CHUNK_BYTES])
        await asyncio.sleep(pause)
    if end:
        await end_of(stream)


async def end_of(stream: StartStreamTranscriptionEventStream) -> None:
    """Say that there is no more audio."""
    untyped: Any = stream.input_stream
    await untyped.end_stream()


async def answer_of(stream: StartStreamTranscriptionEventStream) -> Answer:
    """Read a stream to its end or its exception."""
    answer = Answer()
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            async for event in stream.output_stream:
                answer.results += event.transcript.results
                answer.empty += not event.transcript.results
    except SDKError as error:
        answer.error = error
    return answer


async def transcribed(
    fake: Listening, audio: bytes, *, pause: float = 0.0, **parameters: Any
) -> Answer:
    """Send audio over a connection of its own; gives what comes back."""
    stream = await start(client_of(fake), **parameters)
    sending = asyncio.create_task(send(stream, audio, pause=pause), name="audio")
    try:
        return await answer_of(stream)
    finally:
        sending.cancel()
