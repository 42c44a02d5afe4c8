"""What stands in Redis is what the decoder makes of the whole, however the audio came."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import av
import numpy as np
import pytest
from tests.integration.gateway_support import Client, Gateway, cut, decoded, noise, running
from tests.redis_servers import RedisServer

MULAW = "audio/pcmu;rate=8000;channels=1"
FLOAT = "audio/pcm;encoding=f32le;rate=48000"
WEBM = "audio/webm;codecs=opus"


@pytest.fixture
async def gateway(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running(redis_server, tmp_path) as gateway:
        yield gateway


def encoded(container: str, codec: str, rate: int, channels: int, seconds: float = 3) -> bytes:
    """Encode noise."""
    output = io.BytesIO()
    layout = "stereo" if channels == 2 else "mono"
    samples = np.frombuffer(noise(seconds, rate, channels), "<i2").reshape(1, -1)
    options = {"cluster_time_limit": "200"} if container == "webm" else {}
    with av.open(output, "w", format=container, options=options) as writer:
        stream = writer.add_stream(codec, rate=rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout=layout)
        frame.sample_rate = rate
        resampler = av.AudioResampler(
            stream.codec_context.format, layout, rate, stream.codec_context.frame_size or 4_096
        )
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            writer.mux(stream.encode(part))
        writer.mux(stream.encode(None))
    return output.getvalue()


def recording(kind: str) -> tuple[str, bytes, int]:
    """Give media type, bytes, and the size of a chunk of about 250 ms."""
    match kind:
        case "webm":
            data = encoded("webm", "libopus", 48_000, 1)
            return WEBM, data, len(data) // 12
        case "ogg":
            data = encoded("ogg", "libopus", 48_000, 1)
            return "audio/ogg", data, len(data) // 12
        case "flac":
            data = encoded("flac", "flac", 44_100, 2)
            return "audio/flac", data, len(data) // 12
        case "mulaw":
            return MULAW, bytes(np.random.default_rng(3).bytes(24_001)), 1_999
        case "float":
            samples = np.random.default_rng(5).uniform(-1, 1, 3 * 48_000).astype("<f4")
            return FLOAT, samples.tobytes(), 48_001
        case _:
            return "audio/pcm;rate=44100;channels=2", noise(3, 44_100, 2), 44_101


KINDS = ("webm", "ogg", "flac", "mulaw", "float", "stereo")


@pytest.mark.parametrize("kind", KINDS)
async def test_pcm_in_redis_is_the_decoders_own(gateway: Gateway, kind: str) -> None:
    mime_type, data, size = recording(kind)
    expected = decoded(mime_type, data)
    assert 2.9 * 32_000 < len(expected) < 3.3 * 32_000
    async with gateway.recording(mime_type) as (session_id, client):
        await client.chunks(cut(data, size))
        await client.act("stop")
        await gateway.marked(session_id)
        assert await gateway.pcm(session_id) == expected


@pytest.mark.parametrize("kind", KINDS)
async def test_a_lost_connection_does_not_change_a_byte(gateway: Gateway, kind: str) -> None:
    mime_type, data, size = recording(kind)
    chunks = cut(data, size)
    is_container = kind in ("webm", "ogg", "flac")
    async with gateway.recording(mime_type) as (session_id, client):
        await client.chunks(chunks[:3])
        await client.hear_stored(3)
    for stop in (5, 9):
        async with gateway.joined(session_id) as client:
            again = client.greeting["resend_from"]
            assert client.greeting["container"] is is_container
            assert again == (1 if is_container else client.greeting["sequence_number"] + 1)
            await client.chunks(chunks[again - 1 : stop], first=again)
            await client.hear_stored(stop)
    async with gateway.joined(session_id) as client:
        again = client.greeting["resend_from"]
        await client.chunks(chunks[again - 1 :], first=again)
        await client.act("stop")
        await gateway.marked(session_id)
        entries = await gateway.entries(session_id)
        assert b"".join(entry.pcm for entry in entries) == decoded(mime_type, data)
        numbers = [entry.sequence for entry in entries if not entry.marker]
        assert numbers == list(range(1, len(chunks) + 1))


def last_ack(client: Client) -> int:
    kinds = [message["type"] for message in client.heard]
    return max((at for at, kind in enumerate(kinds) if kind == "server:ack"), default=-1)


async def test_a_long_container_comes_again_without_a_dead_end(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    data = encoded("flac", "flac", 44_100, 2)
    chunks = cut(data, 10_000)
    bounds = {"max_queued_bytes": 40_000}
    async with running(redis_server, tmp_path, **bounds) as gateway:
        async with gateway.recording("audio/flac") as (session_id, client):
            for number, chunk in enumerate(chunks[:40], 1):
                await client.chunks([chunk], first=number)
                await client.hear_stored(number) if number % 4 == 0 else None
        async with gateway.joined(session_id) as client:
            go_on = again = 1
            while True:
                client.heard.clear()
                await client.chunks(chunks[go_on - 1 :], first=go_on)
                await client.say("ping")
                await client.hear("pong")
                if not client.told("error"):
                    break
                go_on = client.told("error")[-1]["resend_from"]
                if client.heard.index(client.told("error")[-1]) > last_ack(client):
                    await client.hear("ack")  # though what is stored has not changed
                again += 1
            assert again > 3
            if not any(ack["sequence_number"] == len(chunks) for ack in client.told("ack")):
                await client.hear_stored(len(chunks))
            await client.act("stop")
            await gateway.marked(session_id)
            assert await gateway.pcm(session_id) == decoded("audio/flac", data)


async def test_the_first_bytes_say_what_an_unnamed_recording_is(gateway: Gateway) -> None:
    data = encoded("ogg", "libopus", 48_000, 1)
    async with gateway.recording("application/octet-stream") as (session_id, client):
        await client.chunks(cut(data, 5_000))
        await client.act("stop")
        await gateway.marked(session_id)
        assert await gateway.pcm(session_id) == decoded("audio/ogg", data)
