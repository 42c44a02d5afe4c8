"""Audio made for the tests: a signal like speech, encoded by PyAV."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

SECONDS = 3


@dataclass(frozen=True)
class Recipe:
    """How to encode the signal."""

    mime_type: str
    container: str
    codec: str
    rate: int
    layout: str = "mono"
    options: dict[str, str] = field(default_factory=dict)
    seconds: float = SECONDS


RECIPES = {
    "webm, live": Recipe(
        "audio/webm;codecs=opus", "webm", "libopus", 48_000, options={"live": "1"}
    ),
    "webm, opus": Recipe("audio/webm;codecs=opus", "webm", "libopus", 48_000),
    "ogg, opus": Recipe("audio/ogg", "ogg", "libopus", 48_000, options={"page_duration": "100000"}),
    "flac, stereo": Recipe("audio/flac", "flac", "flac", 44_100, "stereo"),
    "wav, stereo": Recipe("audio/wav", "wav", "pcm_s16le", 22_050, "stereo"),
    "wav, float": Recipe("audio/wav", "wav", "pcm_f32le", 48_000),
    "wav, mu-law": Recipe("audio/wav", "wav", "pcm_mulaw", 8_000),
    "wav, 24 bit": Recipe("audio/wav", "wav", "pcm_s24le", 16_000),
    "mp3": Recipe("audio/mpeg", "mp3", "libmp3lame", 44_100, "stereo"),
    "mp4, fragmented": Recipe(
        "audio/mp4",
        "mp4",
        "aac",
        44_100,
        options={"movflags": "frag_keyframe+empty_moov", "frag_duration": "200000"},
    ),
    "mp4, faststart": Recipe("audio/mp4", "mp4", "aac", 44_100, options={"movflags": "faststart"}),
    "mp4, index last": Recipe("audio/mp4", "mp4", "aac", 44_100),
    "adts": Recipe("audio/aac", "adts", "aac", 24_000),
    "wav, 8 channels": Recipe("audio/wav", "wav", "pcm_s16le", 16_000, "7.1"),
    "ogg, 8 channels": Recipe("audio/ogg", "ogg", "libopus", 48_000, "7.1", seconds=1),
    "wav, 6 seconds": Recipe("audio/wav", "wav", "pcm_s16le", 16_000, seconds=6),
}
STREAMABLE = [name for name in RECIPES if name != "mp4, index last"]


def speech_like(rate: int, seconds: float) -> NDArray[np.float64]:
    """A chirp from 100 Hz and two tones, rising and falling four times a second."""
    time = np.arange(round(rate * seconds)) / rate
    chirp = 0.3 * np.sin(2 * np.pi * (100 * time + 200 * time**2))
    tones = 0.2 * np.sin(2 * np.pi * 440 * time) + 0.1 * np.sin(2 * np.pi * 2_500 * time)
    swell: NDArray[np.float64] = 0.6 + 0.4 * np.sin(2 * np.pi * 4 * time)
    return (chirp + tones) * swell


def _encode(recipe: Recipe, path: Path) -> bytes:
    signal = (speech_like(recipe.rate, recipe.seconds) * 32767).astype(np.int16)
    with av.open(str(path), "w", format=recipe.container, options=recipe.options) as container:
        stream = container.add_stream(recipe.codec, rate=recipe.rate, layout=recipe.layout)
        assert isinstance(stream, av.AudioStream)
        converter = av.AudioResampler(stream.format.name, stream.layout, recipe.rate)
        channels = stream.layout.nb_channels
        step = recipe.rate // 50
        for start in range(0, len(signal), step):
            piece = np.repeat(signal[start : start + step], channels).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(piece, format="s16", layout=recipe.layout)
            frame.sample_rate, frame.pts = recipe.rate, start
            for converted in converter.resample(frame):
                container.mux(stream.encode(converted))
        container.mux(stream.encode(None))
    return path.read_bytes()


Encoded = Callable[[str], tuple[str, bytes]]


@pytest.fixture(scope="session")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> Encoded:
    """The media type and the bytes of a recipe, by its name."""
    made: dict[str, tuple[str, bytes]] = {}

    def encode(name: str) -> tuple[str, bytes]:
        if name not in made:
            path = tmp_path_factory.mktemp("audio") / "encoded"
            made[name] = (RECIPES[name].mime_type, _encode(RECIPES[name], path))
        return made[name]

    return encode


@pytest.fixture(params=STREAMABLE)
def streamable(request: pytest.FixtureRequest, encoded: Encoded) -> tuple[str, bytes]:
    """The media type and the bytes of each container that can be decoded as a stream."""
    return encoded(request.param)


@pytest.fixture(scope="session")
def signal_at_16k() -> NDArray[np.float64]:
    """What every recipe encodes, at 16 kHz and 1.0 full scale."""
    return speech_like(16_000, SECONDS)
