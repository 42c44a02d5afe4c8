"""How a session sounds just now: the newest values of its prosody, whatever is said."""

from collections import deque
from typing import Final

import numpy as np

from steno_common.messages import Prosody
from steno_transcriber.domain import prosody
from steno_transcriber.domain.frames import Frames
from steno_transcriber.domain.prosody import FRAME, FULL_SCALE, HOP, Values
from steno_transcriber.domain.samples import Samples

WINDOW: Final = 126
"""Frames in which onsets are counted: 2 s."""

NEWEST: Final = 6
"""Frames that volume with energy are of: a tenth of a second."""

_HEARD: Final = NEWEST * HOP


class EmotionMeter:
    """Measures the newest audio of one session when it is asked to.

    Silence is `volume` 0, `rate` 0.5, `energy` 0: it was heard, unlike what could not be measured.

    What it gives follows from the samples up to the last whole frame, not from how they were cut,
    nor from how often it was asked. A look costs what came since the last one, 2 s at most.
    """

    def __init__(self, position: int = 0) -> None:
        self._frames = Frames(position, length=FRAME, hop=HOP, most=WINDOW)
        self._levels: Values | None = None
        """Of the newest frames."""
        self._newest: deque[tuple[int, int, float, float]] = deque(maxlen=NEWEST)
        """Of each frame: sum and square sum of its newer half, power and moment."""

    def feed(self, samples: Samples) -> None:
        """Take the next samples."""
        self._frames.feed(samples)

    def latest(self) -> Prosody | None:
        """Give the newest values, None if too little was heard."""
        frames = self._frames.take()
        if len(frames):
            self._take(frames)
        levels = self._levels
        if levels is None or len(levels) < prosody.LEAST_FRAMES:
            return None
        total, squares, power, moment = (sum(values) for values in zip(*self._newest, strict=True))
        loudness = prosody.volume((squares - total**2 / _HEARD) / _HEARD / FULL_SCALE**2)
        return Prosody(
            volume=loudness,
            rate=prosody.rate(prosody.onsets(levels), len(levels)),
            energy=prosody.energy(power, moment) if loudness else 0.0,
        )

    def _take(self, frames: Samples) -> None:
        magnitudes = prosody.spectra(frames)
        levels = prosody.levels(magnitudes)
        if self._levels is not None:
            levels = np.concatenate((self._levels, levels))
        self._levels = levels[-WINDOW:]
        wave = frames[-NEWEST:, HOP:].astype(np.int64)
        power, moment = prosody.moments(magnitudes[-NEWEST:])
        sums, squares = wave.sum(axis=1), np.square(wave).sum(axis=1)
        self._newest.extend(
            zip(sums.tolist(), squares.tolist(), power.tolist(), moment.tolist(), strict=True)
        )
