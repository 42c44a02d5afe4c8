"""Amazon Transcribe by the SDK `aws-sdk-transcribe-streaming`, the successor (Python >= 3.12)."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from aws_sdk_transcribe_streaming.client import AsyncTranscribeStreamingClient
from aws_sdk_transcribe_streaming.config import AsyncTranscribeStreamingConfig
from aws_sdk_transcribe_streaming.models import (
    AudioEvent,
    AudioStreamAudioEvent,
    BadRequestException,
    LimitExceededException,
    ServiceUnavailableException,
    StartStreamTranscriptionInput,
    TranscriptResultStreamTranscriptEvent,
)
from awscrt.exceptions import AwsCrtError
from awscrt.io import ClientTlsContext, TlsContextOptions
from smithy_core.exceptions import CallError, SmithyError, SmithyIdentityError
from smithy_http.aio.crt import AWSCRTHTTPClient

from steno_transcriber.domain.results import Result
from steno_transcriber.domain.samples import Samples
from steno_transcriber.engines.aws_results import results
from steno_transcriber.engines.aws_sdk import Where
from steno_transcriber.engines.base import (
    EngineAway,
    EngineDenied,
    EngineError,
    EngineLimited,
    EngineRefused,
    EngineUnavailable,
)

FAULTS: Final = (SmithyError, AwsCrtError, OSError, ValueError, RuntimeError)
CLOSE_SECONDS: Final = 1.0
"""Longest wait for a connection to be cut."""
_DENIED: Final = (401, 403)
_TOO_MANY: Final = 429
_SERVER_FAULTS: Final = 500
_NAMES: Final = {
    "media_sample_rate_hz": "media_sample_rate_hertz",
    "vocab_filter_name": "vocabulary_filter_name",
    "vocab_filter_names": "vocabulary_filter_names",
    "vocab_filter_method": "vocabulary_filter_method",
}
"""Arguments that have another name here than in `amazon-transcribe`."""


class StreamingStream:
    """One open stream."""

    def __init__(self, sdk: Any, transport: AWSCRTHTTPClient) -> None:
        self._sdk = sdk
        self._transport = transport
        self._reading: asyncio.Task[Any] | None = None

    async def send(self, audio: Samples) -> None:
        """Sign the samples and hand them to the connection."""
        event = AudioStreamAudioEvent(AudioEvent(audio_chunk=audio.astype("<i2").tobytes()))
        try:
            await self._sdk.input_stream.send(event)
        except FAULTS as error:
            raise engine_error(error, opened=True) from error

    async def finish(self) -> None:
        """Say that no more comes."""
        try:
            await self._sdk.input_stream.close()
        except FAULTS as error:
            raise engine_error(error, opened=True) from error

    async def results(self) -> AsyncIterator[Result]:
        """Give results as they come."""
        receive = self._sdk.output_stream.receive
        while True:
            # The network's thread fails to answer a caller that was cancelled.
            self._reading = asyncio.create_task(receive(), name="stream read")
            try:
                event = await asyncio.shield(self._reading)
            except FAULTS as error:
                raise engine_error(error, opened=True) from error
            if event is None:
                return
            if isinstance(event, TranscriptResultStreamTranscriptEvent):
                for result in results(event.value):
                    yield result

    async def aclose(self) -> None:
        """Cut the connection."""
        await _abandon(self._sdk)
        await _cut(self._transport)
        if (reading := self._reading) is not None:
            # Not cancelled, see above: the end of the connection ends it.
            reading.add_done_callback(_forget)
            await asyncio.wait([reading], timeout=CLOSE_SECONDS)


@dataclass(frozen=True, slots=True)
class TranscribeStreaming:
    """The SDK with what all streams share."""

    where: Where
    tls: ClientTlsContext
    network: Any
    """The network's thread: a transport would bring one of its own."""

    async def open(self, asked: Mapping[str, Any]) -> StreamingStream:
        """Open a stream."""
        transport = AWSCRTHTTPClient(eventloop=self.network)
        # There is no public way to other certificates.
        transport._tls_ctx = self.tls
        opening = asyncio.create_task(self._opened(transport, asked), name="stream open")
        try:
            sdk = await asyncio.shield(opening)
        except BaseException as error:
            await _cut(transport)
            opening.add_done_callback(_forget)

            if isinstance(error, FAULTS):
                raise engine_error(error, opened=False) from error
            raise
        return StreamingStream(sdk, transport)

    async def _opened(self, transport: AWSCRTHTTPClient, asked: Mapping[str, Any]) -> Any:
        more = {"endpoint_uri": self.where.endpoint} if self.where.endpoint else {}
        config = await AsyncTranscribeStreamingConfig.resolve(
            region=self.where.region, transport=transport, **more
        )
        # Each attempt would be another stream; who asks tries again by itself.
        client = AsyncTranscribeStreamingClient(config=config)
        sdk = await client.start_stream_transcription(StartStreamTranscriptionInput(**named(asked)))
        try:
            await sdk.await_output()
        except BaseException:
            await _abandon(sdk)
            raise
        return sdk


def named(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Give the arguments in this SDK's names and forms."""
    return {
        _NAMES.get(name, name): ",".join(value) if isinstance(value, list) else value
        for name, value in asked.items()
        if value is not None
    }


def engine_error(error: BaseException, *, opened: bool) -> EngineError:
    """Give the decision, as `aws_errors` does for the other SDK."""
    kind: type[EngineError] = EngineError
    match error:
        case LimitExceededException():
            kind = EngineLimited
        case ServiceUnavailableException():
            kind = EngineAway
        case BadRequestException() if not opened:
            kind = EngineRefused
        case SmithyIdentityError():
            kind = EngineDenied
        case CallError() if (status := error.response_metadata.http_status_code) is not None:
            limited = error.is_throttling_error or status == _TOO_MANY
            refused = not opened and status < _SERVER_FAULTS and type(error) is CallError
            refusal = EngineDenied if status in _DENIED else EngineRefused
            kind = EngineLimited if limited else refusal if refused else EngineError
        case AwsCrtError() | OSError():
            kind = EngineAway
    return kind(str(error) or type(error).__name__)


def _forget(task: asyncio.Task[Any]) -> None:
    """Take the error of a task that nobody waits for."""
    if not task.cancelled():
        task.exception()


async def _abandon(sdk: Any) -> None:
    """End the task that waits for audio: it would wait for ever.

    The public way waits until all is sent, which a service that has stalled never lets happen.
    """
    with suppress(*FAULTS, TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await sdk.input_stream._writer.close(flush=False)


async def _cut(transport: AWSCRTHTTPClient) -> None:
    with suppress(TimeoutError, AwsCrtError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await asyncio.shield(transport.close())


async def open_sdk(where: Where) -> TranscribeStreaming:
    """Give the SDK. Raises EngineUnavailable; credentials are looked for with each stream."""
    # At its lowest level it would write down what was said.
    logging.getLogger("smithy_aws_event_stream").setLevel(logging.INFO)
    options = TlsContextOptions()
    if where.ca_file:
        try:
            options.override_default_trust_store_from_path(None, where.ca_file)
        except OSError as error:
            raise EngineUnavailable(f"engine aws: {where.ca_file}: {error}") from error
    network = AWSCRTHTTPClient()._eventloop
    return TranscribeStreaming(where, ClientTlsContext(options), network)
