"""The engine `aws`: Amazon Transcribe streaming, by the SDK `amazon-transcribe`."""

import asyncio
import copy
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from amazon_transcribe.auth import AwsCrtCredentialResolver, StaticCredentialResolver
from amazon_transcribe.client import TranscribeStreamingClient
from amazon_transcribe.endpoints import StaticEndpointResolver
from amazon_transcribe.model import StartStreamTranscriptionEventStream, TranscriptEvent
from awscrt.exceptions import AwsCrtError
from awscrt.io import ClientBootstrap, ClientTlsContext, TlsContextOptions

from steno_common.settings import load
from steno_common.units import to_samples
from steno_transcriber.domain.hypothesis import Options
from steno_transcriber.domain.results import Result
from steno_transcriber.domain.samples import Samples
from steno_transcriber.domain.tiling import Patience
from steno_transcriber.engines.aws_connection import Connection, Doze
from steno_transcriber.engines.aws_errors import FAULTS, engine_error
from steno_transcriber.engines.aws_request import request
from steno_transcriber.engines.aws_results import results
from steno_transcriber.engines.aws_settings import AwsSettings
from steno_transcriber.engines.base import EngineUnavailable, StreamRules
from steno_transcriber.settings import RecognitionSettings

CREDENTIALS_SECONDS: Final = 15.0
"""Longest search for credentials: the chain also asks the machine's metadata service."""


class AwsStream:
    """One open stream."""

    def __init__(
        self, sdk: StartStreamTranscriptionEventStream, connection: Connection, doze: Doze
    ) -> None:
        self._sdk = sdk
        self._connection = connection
        self._doze = doze

    async def send(self, audio: Samples) -> None:
        """Sign the samples and hand them to the connection."""
        try:
            await self._sdk.input_stream.send_audio_event(audio.astype("<i2").tobytes())
        except FAULTS as error:
            raise engine_error(error, opened=True) from error
        self._doze.wake()

    async def finish(self) -> None:
        """Say that no more comes."""
        try:
            await self._sdk.input_stream.end_stream()
        except FAULTS as error:
            raise engine_error(error, opened=True) from error
        self._doze.wake()

    async def results(self) -> AsyncIterator[Result]:
        """Give results as they come."""
        try:
            async for event in self._sdk.output_stream:
                if isinstance(event, TranscriptEvent):
                    for result in results(event):
                        yield result
        except FAULTS as error:
            raise engine_error(error, opened=True) from error

    async def aclose(self) -> None:
        """Cut the connection."""
        self._connection.close()


@dataclass(frozen=True, slots=True)
class AwsEngine:
    """Opens streams, each on a connection of its own."""

    settings: AwsSettings
    rules: StreamRules
    client: TranscribeStreamingClient
    bootstrap: ClientBootstrap
    tls: ClientTlsContext
    credentials: AwsCrtCredentialResolver
    doze: Doze
    name: str = "aws"

    async def open(self, options: Options) -> AwsStream:
        """Open a stream. Raises EngineError; untrusted certificates make it wait for ever."""
        asked = request(self.settings, options)
        connection = Connection(self.bootstrap, self.tls, self.doze)
        try:
            client: Any = copy.copy(self.client)
            # The events of a stream are signed with the key that opened it, even if another one
            # comes meanwhile.
            client._credential_resolver = await self._credentials()
            # There is no public way to other certificates, to a connection for each stream or to
            # its end: see aws_connection.
            client._session_manager = connection
            sdk = await client.start_stream_transcription(**asked)
        except FAULTS as error:
            connection.close()
            raise engine_error(error, opened=False) from error
        except BaseException:
            connection.close()
            raise
        return AwsStream(sdk, connection, self.doze)

    async def _credentials(self) -> StaticCredentialResolver:
        # Shielded: the chain fails to answer a caller that was cancelled.
        found = await asyncio.shield(self.credentials.get_credentials())
        assert found is not None
        return StaticCredentialResolver(
            found.access_key_id, found.secret_access_key, found.session_token
        )

    async def aclose(self) -> None:
        """Nothing is open but streams, which are closed by who opened them."""


async def open_engine(_settings: RecognitionSettings) -> AwsEngine:
    """Give the engine once there are credentials and a region. Raises EngineUnavailable."""
    settings = load(AwsSettings)
    region = (
        settings.aws_region
        or os.environ.get("AWS_REGION", "")
        or os.environ.get("AWS_DEFAULT_REGION", "")
    )
    if not region:
        raise EngineUnavailable("engine aws: no region; set STENO_AWS_REGION")
    bootstrap = ClientBootstrap.get_or_create_static_default()
    credentials = AwsCrtCredentialResolver(bootstrap)
    try:
        async with asyncio.timeout(CREDENTIALS_SECONDS):
            await asyncio.shield(credentials.get_credentials())
    except (AwsCrtError, TimeoutError) as error:
        raise EngineUnavailable(f"engine aws: no credentials of AWS: {error}") from error
    endpoint = StaticEndpointResolver(settings.aws_endpoint) if settings.aws_endpoint else None
    return AwsEngine(
        settings=settings,
        rules=rules(settings),
        client=TranscribeStreamingClient(
            region=region, endpoint_resolver=endpoint, credential_resolver=credentials
        ),
        bootstrap=bootstrap,
        tls=_tls(settings.aws_ca_file),
        credentials=credentials,
        doze=Doze(),
    )


def rules(settings: AwsSettings) -> StreamRules:
    """Give the limits of the service as far as the settings say."""
    return StreamRules(
        max_streams=settings.aws_max_streams,
        connect_seconds=settings.aws_connect_seconds,
        pace=settings.aws_pace,
        tries=settings.aws_tries,
        patience=Patience(stream=to_samples(settings.aws_max_stream_seconds)),
    )


def _tls(ca_file: str) -> ClientTlsContext:
    options = TlsContextOptions()
    if ca_file:
        try:
            options.override_default_trust_store_from_path(None, ca_file)
        except OSError as error:
            raise EngineUnavailable(f"engine aws: {ca_file}: {error}") from error
    return ClientTlsContext(options)
