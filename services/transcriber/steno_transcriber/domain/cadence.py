"""When an open segment is worth another partial: a rule of samples and of the queue's wait."""

from dataclasses import dataclass
from typing import Final

from steno_common.units import SAMPLE_RATE

FIRST: Final = SAMPLE_RATE // 2
"""Speech that is worth a first partial."""

TOLERATED_WAIT: Final = 0.2
"""Seconds a partial may wait for its batch before partials are asked for less often."""

MOST_STRETCH: Final = 8.0


def due(*, speech_start: int, audio_end: int, shown_until: int | None, interval: float) -> bool:
    """Say whether a partial of the audio up to `audio_end` is due.

    `shown_until` is where the last one ended, None before the first. Positions are samples.
    """
    if shown_until is None:
        return audio_end >= speech_start + FIRST
    return audio_end >= shown_until + interval


@dataclass(slots=True)
class Pace:
    """How much longer than usual the interval between partials is, under load."""

    wait: float = 0.0
    """Seconds that partials have waited lately."""

    def observe(self, wait: float) -> None:
        """Take the wait of one more partial."""
        self.wait += (wait - self.wait) / 8

    @property
    def stretch(self) -> float:
        """Factor on the interval, 1 without load."""
        return min(MOST_STRETCH, max(1.0, self.wait / TOLERATED_WAIT))
