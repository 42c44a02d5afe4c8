"""Recorded sentences as the speech of a session, for an engine that understands them."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bench.faults.speech import Speech, cut
from bench.recognition.fixture import Clip, read_clips

from steno_common.units import to_samples

FIXTURE: Final = Path(__file__).parents[2] / "tests" / "data" / "tiny_whisper"
MODEL: Final = FIXTURE / "model"
"""Whisper as it is trained on sentences of this kind."""

ALIKE: Final = (
    *(f"sentence_{number}" for number in range(1, 6)),
    *(f"command_{number}" for number in range(1, 7)),
)
"""Clips in which the model hears just what is said, whatever text it is given as a prompt."""

_PAUSE: Final = (0.8, 1.6)
"""Seconds that end a segment."""
_LONG_PAUSE: Final = (3.2, 4.0)
"""Seconds that end an utterance too."""


def clips() -> list[Clip]:
    """Read the clips."""
    return [clip for clip in read_clips(FIXTURE) if clip.name in ALIKE]


def sentences(
    known: Sequence[Clip], seed: int, session: int, chunk_seconds: tuple[float, float]
) -> Iterator[Speech]:
    """Draw sentences without end, each with a pause behind it and none right after itself."""
    chance = random.Random(f"{seed} sentences {session}")
    clip = chance.choice(known)
    while True:
        clip = chance.choice([each for each in known if each is not clip])
        pause = chance.uniform(*(_LONG_PAUSE if chance.random() < 0.1 else _PAUSE))
        pcm = clip.audio.astype("<i2").tobytes() + bytes(2 * to_samples(pause))
        yield Speech(clip.text, tuple(cut(pcm, chance, chunk_seconds)))
