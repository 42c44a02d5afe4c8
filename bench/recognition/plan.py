"""What each session says: a seeded row of clips with pauses, a pure function of its arguments."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from bench.recognition.fixture import Clip, Spoken

from steno_audio import SAMPLE_RATE

SHORTEST_PAUSE: Final = 0.8
LONGEST_PAUSE: Final = 2.5
"""Silence between two clips, in seconds, beside what they hold themselves."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A clip, by its index, from a sample of the session on."""

    clip: int
    start: int


@dataclass(frozen=True, slots=True)
class Plan:
    """One session's audio; what no clip covers is silent."""

    placed: tuple[Placed, ...]
    samples: int


def plan_session(lengths: Sequence[int], seconds: float, seed: int, session: int) -> Plan:
    """Say which clips, of `lengths` samples each, follow each other for at least `seconds`.

    Every clip is said once before one is said again. The session ends with a pause.
    """
    random = Random(f"{seed}/{session}")
    wanted = round(seconds * SAMPLE_RATE)
    placed: list[Placed] = []
    end = 0
    while True:
        for clip in random.sample(range(len(lengths)), len(lengths)):
            end += round(random.uniform(SHORTEST_PAUSE, LONGEST_PAUSE) * SAMPLE_RATE)
            if end >= wanted:
                return Plan(tuple(placed), end)
            placed.append(Placed(clip, end))
            end += lengths[clip]


def spoken_words(plan: Plan, clips: Sequence[Clip]) -> Iterator[Spoken]:
    """Give all words of a session in order, with samples of the session."""
    for place in plan.placed:
        for word in clips[place.clip].words:
            yield Spoken(word.text, place.start + word.start, place.start + word.end)


def chunk_bytes(plan: Plan, clips: Sequence[Clip], first: int, length: int) -> bytes:
    """Give `length` samples from `first` on as s16le; fewer at the end."""
    last = min(first + length, plan.samples)
    chunk = bytearray(2 * (last - first))
    for place in plan.placed:
        audio = clips[place.clip].audio
        begin, end = max(first, place.start), min(last, place.start + len(audio))
        if begin < end:
            piece = audio[begin - place.start : end - place.start].astype("<i2").tobytes()
            chunk[2 * (begin - first) : 2 * (end - first)] = piece
    return bytes(chunk)
