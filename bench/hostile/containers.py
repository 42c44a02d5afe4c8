"""Chunks of audio that was encoded well, and spoiled after."""

import io
from functools import cache
from random import Random
from typing import Final

import av
import numpy as np
from bench.hostile.frames import BINARY, TEXT, chunk, frame
from bench.hostile.script import Script, Step, cut, some, spoiled

KINDS: Final = {
    "audio/webm;codecs=opus": ("webm", "libopus", 48_000),
    "audio/ogg": ("ogg", "libopus", 48_000),
    "audio/flac": ("flac", "flac", 16_000),
    "audio/mpeg": ("mp3", "libmp3lame", 16_000),
    "audio/wav": ("wav", "pcm_s16le", 16_000),
    "audio/aac": ("adts", "aac", 16_000),
}
"""MIME type -> container, codec, rate."""

STOP: Final = frame(TEXT, b'{"type":"client:control","action":"stop"}')


@cache
def recording(mime_type: str) -> bytes:
    """Give a second of noise and a second of silence; the same bytes every time."""
    container_format, codec, rate = KINDS[mime_type]
    noise = np.random.default_rng(3).normal(0, 6_000, rate).clip(-32_768, 32_767)
    samples = np.concatenate([noise, np.zeros(rate)]).astype(np.int16).reshape(1, -1)
    file = io.BytesIO()
    options = {"fflags": "bitexact"}
    with av.open(file, "w", format=container_format, options=options) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, av.AudioStream)
        converter = av.AudioResampler(stream.format.name, stream.layout, rate)
        for place in range(0, samples.shape[1], rate // 50):
            part = np.ascontiguousarray(samples[:, place : place + rate // 50])
            block = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
            block.sample_rate, block.pts = rate, place
            for converted in converter.resample(block):
                container.mux(stream.encode(converted))
        container.mux(stream.encode(None))
    return file.getvalue()


def containers(rng: Random) -> Script:
    """Draw a recording that is spoiled, cut anywhere; perhaps of another type than it says."""
    mime_type = rng.choice(tuple(KINDS))
    told = rng.choice(tuple(KINDS)) if rng.random() < 0.1 else mime_type
    data = recording(mime_type)
    match rng.randrange(5):
        case 0:
            data = data[: rng.randrange(1, len(data))]
        case 1:  # the head is well, what follows is not
            data = data[:200] + spoiled(rng, data[200:])
        case 2:
            data = data + data
        case _:
            data = spoiled(rng, data)
    pieces = [piece for piece in cut(rng, data, rng.randint(1, 12)) if piece]
    steps: list[Step] = [chunk(number, piece) for number, piece in enumerate(pieces, 1)]
    if rng.random() < 0.7:
        steps += [STOP, 0.3]
    return Script(tuple(steps), door="ws", mime_type=told)


def chunks(rng: Random) -> Script:
    """Draw binary frames with odd numbers or odd sizes of raw audio."""
    steps: list[Step] = []
    number = 0
    for _ in some(rng, 1, 20):
        number = rng.choice([number + 1, number + 1, number + 1, number, number - 1, 0, number + 5,
                             (1 << 32) - 1, rng.randrange(1 << 32)])  # fmt: skip
        size = rng.choice([0, 1, 2, 3, 3_200, 3_201, 64_000])
        steps.append(chunk(number, rng.randbytes(size)))
        if rng.random() < 0.1:
            steps.append(frame(BINARY, rng.randbytes(rng.randrange(4))))
    if rng.random() < 0.5:
        steps.append(STOP)
    mime_type = rng.choice(("audio/pcm", "audio/pcm;rate=8000;channels=2;encoding=f32le",
                            "audio/pcmu", "audio/pcm;rate=48000;channels=8"))  # fmt: skip
    return Script(tuple(steps), door="ws", mime_type=mime_type)
