"""Clips whose audio tells where it comes from."""

import numpy as np
from bench.recognition.fixture import Clip, Spoken


def clip(name: str, seconds: float, *words: tuple[str, float, float]) -> Clip:
    """Give a clip of these words; its samples are 1, 2, 3 …"""
    spoken = tuple(
        Spoken(text, round(start * 16_000), round(end * 16_000)) for text, start, end in words
    )
    audio = (np.arange(round(seconds * 16_000)) % 30_000 + 1).astype(np.int16)
    return Clip(name, " ".join(word.text for word in spoken), spoken, audio)


CLIPS = [
    clip("h0", 1.0, ("red", 0.25, 0.5), ("lamp", 0.5, 0.75)),
    clip("h1", 2.0, ("blue", 0.5, 1.5)),
]
