"""What a speech detector says of the samples since a border, frame by frame."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from steno_transcriber.domain.samples import Samples

FRAME: Final = 512
"""Samples that have one probability of speech (32 ms)."""

BLOCK: Final = 4 * FRAME
"""Samples that the speech detector is given at a time: fewer cost it more, more come too late.
Blocks are counted from the border, so they do not depend on how audio arrives."""

SPEECH_ON: Final = 50
SPEECH_OFF: Final = 35
"""Per cent of probability that begin and end speech; between them it stays what it was."""

SpeechProbability = Callable[[Samples], Sequence[float]]
"""Judges successive blocks: probability of speech of each frame, 0 to 1. It may remember the
blocks before."""


@dataclass(slots=True)
class Scan:
    """What the detector has said since the border; positions count from there."""

    probability: SpeechProbability
    scored: int = 0
    speech_start: int | None = None
    quiet_since: int | None = None
    frames: list[tuple[int, int]] = field(default_factory=list)
    """(per cent of speech, energy) of each frame: the smaller, the better a place to cut."""

    def judge(self, block: Samples) -> Iterator[tuple[int, int]]:
        """Give (per cent of speech, energy) of each frame of the next block."""
        wide = block.astype(np.int64).reshape(-1, FRAME)
        energies = np.square(wide).sum(axis=1).tolist()
        # Whole per cents: the rules compare integers, and silences of equal rank are told apart
        # by their energy.
        percents = (int(probability * 100) for probability in self.probability(block))
        return zip(percents, energies, strict=True)

    def add(self, percent: int, energy: int) -> None:
        """Take the next frame."""
        self.frames.append((percent, energy))
        if percent >= SPEECH_ON:
            self.quiet_since = None
            if self.speech_start is None:
                self.speech_start = self.scored
        elif percent < SPEECH_OFF and self.speech_start is not None and self.quiet_since is None:
            self.quiet_since = self.scored
        self.scored += FRAME
