"""The successor of Amazon's client library as a client, run by a Python that has it.

    python successor_client.py ENDPOINT CA_FILE [PARAMETER=JSON …] < audio

It sends the audio as events of 0.1 s; what comes back is written as JSON.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Any

from aws_sdk_transcribe_streaming import models
from aws_sdk_transcribe_streaming.client import AsyncTranscribeStreamingClient
from aws_sdk_transcribe_streaming.config import AsyncTranscribeStreamingConfig
from awscrt.io import ClientTlsContext, TlsContextOptions
from smithy_http.aio.crt import AWSCRTHTTPClient

CHUNK_BYTES = 3_200


async def main(arguments: Sequence[str], audio: bytes) -> dict[str, Any]:
    """Transcribe the audio; gives the final texts, or the name of what went wrong."""
    endpoint, ca_file, *parameters = arguments
    transport = AWSCRTHTTPClient()
    options = TlsContextOptions()
    options.override_default_trust_store_from_path(None, ca_file)
    transport._tls_ctx = ClientTlsContext(options)  # there is no public way
    config = await AsyncTranscribeStreamingConfig.resolve(
        region="eu-central-1",
        endpoint_uri=endpoint,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
        transport=transport,
    )
    wanted: dict[str, Any] = {
        "language_code": "en-US",
        "media_sample_rate_hertz": 16_000,
        "media_encoding": "pcm",
    }
    wanted |= {name: json.loads(value) for name, _, value in (p.partition("=") for p in parameters)}
    client = AsyncTranscribeStreamingClient(config=config)
    try:
        return await _transcribed(client, models.StartStreamTranscriptionInput(**wanted), audio)
    except models.ServiceError as error:
        return {"error": type(error).__name__, "message": error.message}


async def _transcribed(
    client: AsyncTranscribeStreamingClient,
    wanted: models.StartStreamTranscriptionInput,
    audio: bytes,
) -> dict[str, Any]:
    stream = await client.start_stream_transcription(wanted)
    said, output = await stream.await_output()
    sending = asyncio.create_task(_send(stream.input_stream, audio), name="audio")
    texts: list[str] = []
    partial = 0
    try:
        async for event in output:
            if not isinstance(event, models.TranscriptResultStreamTranscriptEvent):
                return {"error": type(event.value).__name__, "message": event.value.message}
            for result in event.value.transcript.results:
                partial += result.is_partial
                if not result.is_partial:
                    texts.append(result.alternatives[0].transcript)
    finally:
        sending.cancel()
    return {"session": said.session_id, "texts": texts, "partial": partial}


async def _send(publisher: Any, audio: bytes) -> None:
    for place in range(0, len(audio), CHUNK_BYTES):
        piece = models.AudioEvent(audio_chunk=audio[place : place + CHUNK_BYTES])
        await publisher.send(models.AudioStreamAudioEvent(value=piece))
        await asyncio.sleep(0.005)
    await publisher.close()


if __name__ == "__main__":
    json.dump(asyncio.run(main(sys.argv[1:], sys.stdin.buffer.read())), sys.stdout)
