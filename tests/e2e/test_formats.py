"""Audio in the forms that browsers, telephones and recorders send it."""

import asyncio
import io
import wave
from collections.abc import Iterator

import av
import numpy as np
import pytest
from tests.e2e.machine import SAMPLES, Machine, recognised, running

import steno_client
from steno_audio import decode_file

HELLO = SAMPLES / "hello.wav"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with running(tmp_path_factory.mktemp("formats")) as machine:
        yield machine


def samples() -> np.ndarray:
    return np.frombuffer(b"".join(decode_file(HELLO)), dtype="<i2")


def encoded(container: str, codec: str, rate: int, layout: str = "mono", **options: str) -> bytes:
    """Encode the sample anew; the time of a 250 ms cluster lets WebM come in such pieces."""
    target = io.BytesIO()
    with av.open(target, "w", format=container, options=options) as output:
        stream = output.add_stream(codec, rate=rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(samples()[None], format="s16", layout="mono")
        frame.sample_rate = 16_000
        resampler = av.AudioResampler(stream.codec_context.format, layout, rate,
                                      stream.codec_context.frame_size or None)  # fmt: skip
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    return target.getvalue()


def mulaw() -> bytes:
    raw = encoded("wav", "pcm_mulaw", 8_000)
    return raw[raw.index(b"data") + 8 :]


def pieces(data: bytes, seconds: float, total: float) -> list[bytes]:
    size = max(1, round(len(data) * seconds / total))
    return [data[at : at + size] for at in range(0, len(data), size)]


async def transcript(machine: Machine, data: bytes, mime_type: str) -> str:
    with wave.open(str(HELLO)) as sample:
        total = sample.getnframes() / sample.getframerate()
    async with steno_client.connect(machine.url, mime_type=mime_type) as session:
        for piece in pieces(data, 0.25, total):
            await session.send(piece)
            await asyncio.sleep(0)
        return (await session.finish()).text


CASES = {
    "webm-opus": ("audio/webm;codecs=opus", lambda: encoded("webm", "libopus", 48_000)),
    "ogg-opus": ("audio/ogg", lambda: encoded("ogg", "libopus", 48_000)),
    "mu-law": ("audio/pcmu", mulaw),
    "flac-stereo": ("audio/flac", lambda: encoded("flac", "flac", 44_100, "stereo")),
}


@pytest.mark.parametrize("case", CASES)
async def test_a_stream_in_pieces_of_250_ms_is_transcribed(machine: Machine, case: str) -> None:
    mime_type, make = CASES[case]
    text = await transcript(machine, make(), mime_type)
    # Encoders lose some sound, and with it a word now and then.
    words = set(text.split())
    expected = set(recognised(HELLO).split())
    assert len(expected) >= 8
    assert len(words & expected) >= 0.6 * len(expected)


async def test_a_gateway_killed_in_a_webm_stream_loses_nothing(machine: Machine) -> None:
    mime_type, make = CASES["webm-opus"]
    data = make()
    alone = await transcript(machine, data, mime_type)
    async with steno_client.connect(machine.url, mime_type=mime_type) as session:
        for place, piece in enumerate(pieces(data, 0.25, 6.5)):
            if place == 10:
                await asyncio.to_thread(machine.kill, "gateway")
            await session.send(piece)
            await asyncio.sleep(0.1)
        assert (await session.finish()).text == alone
