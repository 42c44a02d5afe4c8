"""What a worker measures of itself: the one place that all observations come to."""

import time
from dataclasses import dataclass, field

from steno_common.units import SAMPLE_RATE
from steno_transcriber import metrics
from steno_transcriber.domain.capacity import Engine, Load, Meter, measured
from steno_transcriber.scheduler import Measure


@dataclass(slots=True)
class LoadMeter:
    """Feeds the metrics with the same values as the rules of capacity."""

    engine: Engine = field(default_factory=Engine)
    """Known once it is open; observations may come before."""
    _meter: Meter = field(default_factory=Meter)
    _at: float = field(default_factory=time.monotonic)
    _weight: float = 0.0
    """Sessions since the last look, younger ones as half a session."""

    def observe(self, measure: Measure, value: float) -> None:
        """Take what the scheduler or a recogniser observes."""
        metrics.observe(measure, value)
        self._meter.add(time.monotonic(), measure, value)

    def hear(self, samples: int) -> None:
        """Take audio that was read."""
        self._meter.add(time.monotonic(), "audio_seconds", samples / SAMPLE_RATE)

    def look(self, *, settled: int, fresh: int, lag: float) -> Load:
        """Give the load of the sessions that there are now."""
        now = time.monotonic()
        self._meter.add(now, "session_seconds", (now - self._at) * self._weight)
        self._at, self._weight = now, settled + fresh / 2
        return measured(self._meter, now, self.engine, sessions=settled + fresh, lag=lag)
