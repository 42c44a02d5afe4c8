"""Synthesise the audio samples of this folder.

Run it with `.venv/bin/python samples/make_samples.py`; it needs the program espeak-ng, which every
Linux distribution packages. The voice and the sentences are ones that a small model hears well.
"""

import io
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
VOICE, WORDS_PER_MINUTE = "en-us+f5", 150
EDGE_SECONDS = 0.4

# Real rooms are never silent; the noise lies about 66 dB below full scale.
NOISE_AMPLITUDE = 16

Pcm = NDArray[np.int16]

# Sentences with the seconds of silence after each.
HELLO = [
    ("You will be able to read what I am saying.", 1.0),
    ("I would like to thank you for your time.", 0.0),
]
THREE_UTTERANCES = [
    ("We are going to the city tomorrow.", 4.0),
    ("We would like to know your name.", 4.0),
    ("Tomorrow we will have more time.", 0.0),
]


def main() -> None:
    """Write every sample beside this file."""
    if shutil.which("espeak-ng") is None:
        sys.exit("make_samples: espeak-ng is not installed")
    folder = Path(__file__).parent
    write(folder / "hello.wav", "pcm_s16le", compose(HELLO))
    write(folder / "three-utterances.flac", "flac", compose(THREE_UTTERANCES))


def compose(script: Sequence[tuple[str, float]]) -> Pcm:
    """Speak sentences with silences between them, over a faint noise; 16 kHz mono."""
    parts = [silence(EDGE_SECONDS)]
    for sentence, pause_seconds in script:
        parts += [speak(sentence), silence(pause_seconds)]
    speech = np.concatenate([*parts, silence(EDGE_SECONDS)])
    # A fixed seed: the same files from every run.
    noise = np.random.default_rng(1).normal(0.0, NOISE_AMPLITUDE, len(speech))
    mixed: Pcm = np.clip(speech + np.rint(noise), -32768, 32767).astype(np.int16)
    return mixed


def silence(seconds: float) -> Pcm:
    """Give zeros."""
    return np.zeros(round(seconds * SAMPLE_RATE), np.int16)


def speak(sentence: str) -> Pcm:
    """Synthesise one sentence, without the silence that espeak-ng puts around it."""
    command = ["espeak-ng", "-v", VOICE, "-s", str(WORDS_PER_MINUTE), "--stdout", sentence]
    spoken = subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603
    pcm: Pcm = np.concatenate(list(decode(spoken)))
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > 64)
    return pcm[loud[0] : loud[-1] + 1]


def decode(data: bytes) -> Iterator[Pcm]:
    """Decode a file in memory to pieces of 16 kHz mono."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    with av.open(io.BytesIO(data), "r") as container:
        for frame in container.decode(audio=0):
            yield from (piece.to_ndarray()[0] for piece in resampler.resample(frame))
    yield from (piece.to_ndarray()[0] for piece in resampler.resample(None))


def write(path: Path, codec: str, pcm: Pcm) -> None:
    """Encode 16 kHz mono into the container that the file's name asks for."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=SAMPLE_RATE, layout="mono")
        assert isinstance(stream, AudioStream)
        frame = av.AudioFrame.from_ndarray(pcm[np.newaxis, :], format="s16", layout="mono")
        frame.rate = SAMPLE_RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    main()
