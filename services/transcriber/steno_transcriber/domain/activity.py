"""Where the samples of a session hold speech by the local detector, frame by frame."""

from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np

from steno_transcriber.domain.samples import Samples
from steno_transcriber.domain.scan import (
    BLOCK,
    FRAME,
    SPEECH_OFF,
    SPEECH_ON,
    SpeechProbability,
)


class Judge:
    """Asks one detector about all samples of a session, in blocks of its own length."""

    def __init__(self, probability: SpeechProbability) -> None:
        self._probability = probability
        self._rest: Samples = np.empty(0, np.int16)
        self._speaking = False

    def feed(self, samples: Samples) -> list[bool]:
        """Say of each frame that these samples complete whether it is speech."""
        audio = np.concatenate((self._rest, samples))
        whole = len(audio) // BLOCK * BLOCK
        self._rest = audio[whole:].copy()
        blocks = (audio[at : at + BLOCK] for at in range(0, whole, BLOCK))
        return [self._judge(p) for block in blocks for p in self._probability(block)]

    def _judge(self, probability: float) -> bool:
        threshold = SPEECH_OFF if self._speaking else SPEECH_ON
        self._speaking = int(probability * 100) >= threshold
        return self._speaking


class Activity:
    """The frames from a border on. Positions are samples of the session."""

    def __init__(self, position: int) -> None:
        self._start = position
        self._frames: deque[bool] = deque()

    @property
    def judged(self) -> int:
        """Position after the last frame judged."""
        return self._start + len(self._frames) * FRAME

    def add(self, frames: Iterable[bool]) -> None:
        """Take what the judge says of the frames that follow."""
        self._frames.extend(frames)

    def forget(self, border: int) -> None:
        """Drop the frames that lie before a position."""
        while self._frames and self._start + FRAME <= border:
            self._frames.popleft()
            self._start += FRAME

    def speech(self, first: int, last: int) -> tuple[int, int] | None:
        """Give the bounds of speech between two positions, None if there is none."""
        spoken = self._spoken(first, last)
        if not spoken:
            return None
        begin, end = spoken[0] * FRAME, (spoken[-1] + 1) * FRAME
        return max(first, self._start + begin), min(last, self._start + end)

    def spoken(self, first: int, last: int) -> int:
        """Give how much speech there is between two positions, in samples."""
        return len(self._spoken(first, last)) * FRAME

    def _spoken(self, first: int, last: int) -> Sequence[int]:
        return [
            number
            for number, speech in enumerate(self._frames)
            if speech
            and first < self._start + (number + 1) * FRAME
            and self._start + number * FRAME < last
        ]
