"""Amazon Transcribe by the SDK `amazon-transcribe`."""

import asyncio
import copy
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from amazon_transcribe.auth import AwsCrtCredentialResolver, StaticCredentialResolver
from amazon_transcribe.client import TranscribeStreamingClient
from amazon_transcribe.endpoints import StaticEndpointResolver
from amazon_transcribe.model import StartStreamTranscriptionEventStream, TranscriptEvent
from awscrt.exceptions import AwsCrtError
from awscrt.io import ClientBootstrap, ClientTlsContext, TlsContextOptions

from steno_transcriber.domain.results import Result
from steno_transcriber.domain.samples import Samples
from steno_transcriber.engines.aws_connection import Connection, Doze
from steno_transcriber.engines.aws_errors import FAULTS, engine_error
from steno_transcriber.engines.aws_results import results
from steno_transcriber.engines.aws_sdk import CREDENTIALS_SECONDS, Where
from steno_transcriber.engines.base import EngineUnavailable


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
class AmazonTranscribe:
    """The SDK with what all streams share."""

    client: TranscribeStreamingClient
    credentials: AwsCrtCredentialResolver
    bootstrap: ClientBootstrap
    tls: ClientTlsContext
    doze: Doze = field(default_factory=Doze)

    async def open(self, asked: Mapping[str, Any]) -> AwsStream:
        """Open a stream."""
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


async def open_sdk(where: Where) -> AmazonTranscribe:
    """Give the SDK once there are credentials. Raises EngineUnavailable."""
    bootstrap = ClientBootstrap.get_or_create_static_default()
    credentials = AwsCrtCredentialResolver(bootstrap)
    try:
        async with asyncio.timeout(CREDENTIALS_SECONDS):
            await asyncio.shield(credentials.get_credentials())
    except (AwsCrtError, TimeoutError) as error:
        raise EngineUnavailable(f"engine aws: no credentials of AWS: {error}") from error
    endpoint = StaticEndpointResolver(where.endpoint) if where.endpoint else None
    client = TranscribeStreamingClient(
        region=where.region, endpoint_resolver=endpoint, credential_resolver=credentials
    )
    return AmazonTranscribe(client, credentials, bootstrap, _tls(where.ca_file))


def _tls(ca_file: str) -> ClientTlsContext:
    options = TlsContextOptions()
    if ca_file:
        try:
            options.override_default_trust_store_from_path(None, ca_file)
        except OSError as error:
            raise EngineUnavailable(f"engine aws: {ca_file}: {error}") from error
    return ClientTlsContext(options)
