"""What a session says; here numbers, which one of Steno's own engines reads out."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from steno_common.units import SAMPLE_RATE, to_samples
from steno_transcriber.engines.numbers import GAP, LARGEST, WORD, phrase, silence

NUMBERS: Final = 1_000
"""Words that one session may have: their numbers tell sessions apart."""

_TAIL: Final = to_samples(0.7)
"""Silence at the end, longer than a pause: the last segment ends as all others do."""

_LONG_PAUSE: Final = (3.2, 4.0)
"""Seconds that end an utterance."""
_PAUSE: Final = (0.6, 1.6)


@dataclass(frozen=True, slots=True)
class Speech:
    """What a session says, in chunks of s16le."""

    text: str
    chunks: tuple[bytes, ...]

    @property
    def samples(self) -> int:
        """Length of all."""
        return sum(map(len, self.chunks)) // 2

    @property
    def audio(self) -> bytes:
        """All of it."""
        return b"".join(self.chunks)


def speech(seed: int, session: int, seconds: float, chunk_seconds: tuple[float, float]) -> Speech:
    """Draw about so many seconds of phrases with pauses: a pure function of seed and session.

    The numbers of a session are its own, and count up.
    """
    chance = random.Random(f"{seed} {session}")
    first = session * NUMBERS % (LARGEST - NUMBERS) + 1
    words, pieces, wanted = 0, [silence(to_samples(chance.uniform(0.0, 0.5)))], to_samples(seconds)
    most = min(NUMBERS, int(seconds * SAMPLE_RATE / (WORD + GAP)) + 1)
    while sum(map(len, pieces)) < wanted and words < most:
        # Now and then longer than a segment may be, so that it is cut without a pause.
        count = min(chance.choice((1, 2, 3, 5, 8, 12, 24)), most - words)
        pause = chance.uniform(*(_LONG_PAUSE if chance.random() < 0.15 else _PAUSE))
        pieces += [phrase(range(first + words, first + words + count)), silence(to_samples(pause))]
        words += count
    pieces.append(silence(_TAIL))
    pcm = np.concatenate(pieces).astype("<i2").tobytes()
    text = " ".join(map(str, range(first, first + words)))
    return Speech(text, tuple(cut(pcm, chance, chunk_seconds)))


def phrases(seed: int, session: int, chunk_seconds: tuple[float, float]) -> Iterator[Speech]:
    """Draw phrases that count up, each with a pause behind it, for minutes."""
    chance = random.Random(f"{seed} phrases {session}")
    at = session * NUMBERS % (LARGEST - NUMBERS) + 1
    end = at + NUMBERS
    while at < end:
        said = range(at, min(at + chance.choice((1, 2, 3, 5, 8, 12, 24)), end))
        pause = max(_TAIL, to_samples(chance.uniform(*_PAUSE)))
        pcm = np.concatenate([phrase(said), silence(pause)]).astype("<i2").tobytes()
        yield Speech(" ".join(map(str, said)), tuple(cut(pcm, chance, chunk_seconds)))
        at = said.stop


def cut(pcm: bytes, chance: random.Random, chunk_seconds: tuple[float, float]) -> Iterator[bytes]:
    """Cut s16le into chunks of random length."""
    place = 0
    while place < len(pcm):
        end = place + 2 * to_samples(chance.uniform(*chunk_seconds))
        yield pcm[place:end]
        place = end
