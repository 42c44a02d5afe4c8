"""Measuring: how a session sounds and what it takes; a fault in it never harms the session."""

import logging
import time
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from steno_common.logs import about
from steno_common.measured import decode_measured, encode_measured
from steno_common.messages import Prosody
from steno_transcriber import metrics
from steno_transcriber.domain.emotion import EmotionMeter
from steno_transcriber.domain.prosody import NEUTRAL, measure
from steno_transcriber.domain.quality import QualityMeter
from steno_transcriber.domain.samples import Samples
from steno_transcriber.domain.tally import Outcome, after

log = logging.getLogger(__name__)

T = TypeVar("T")

_NEUTRAL: Final[Prosody | None] = NEUTRAL


class _Guard:
    """Does what only measures; a fault in it is counted, and told of once with its traceback."""

    def __init__(self, session_id: str = "") -> None:
        self._session_id = session_id
        self._told: set[metrics.MeasuringKind] = set()

    def __call__(self, kind: metrics.MeasuringKind, work: Callable[[], T], otherwise: T) -> T:
        began = time.perf_counter()
        try:
            found = work()
        except Exception:
            # Nothing that is only measured may cost a session its words.
            metrics.MEASURING_ERRORS.labels(kind).inc()
            if kind not in self._told:
                self._told.add(kind)
                log.exception("not measured", extra=about(self._session_id, reason=kind))
            return otherwise
        if kind == "emotion":
            metrics.EMOTION.observe(time.perf_counter() - began)
        return found


def measured_prosody(speech: Samples) -> Prosody | None:
    """Measure the speech of a segment, neutral if that fails; blocks for 0.3 ms a second of it."""
    return _Guard()("emotion", lambda: measure(speech), NEUTRAL)


def no_prosody(_speech: Samples) -> Prosody | None:
    """Measure nothing."""
    return None


class Measuring:
    """What is measured of one claimed session; it goes on where the claim before left off."""

    def __init__(
        self, session_id: str, position: int, held: bytes, *, worker: str, emotion: bool = True
    ) -> None:
        self._guarded = _Guard(session_id)
        self._emotion = EmotionMeter(position) if emotion else None
        self._quality = QualityMeter(position)
        self._held = msgspec.structs.replace(decode_measured(held), worker=worker)

    @property
    def emotion_known(self) -> bool:
        """Whether there are values of the session's newest audio."""
        return self._emotion is not None and self._held.prosody is not None

    def hear(self, samples: Samples) -> None:
        """Take the next samples, on their way to the recogniser."""
        if (meter := self._emotion) is not None:
            self._guarded("emotion", lambda: meter.feed(samples), None)
        self._guarded("quality", lambda: self._quality.feed(samples), None)

    def emotion(self) -> Prosody | None:
        """Give how the newest audio sounds; None where that is switched off, or it is too short."""
        if (meter := self._emotion) is None:
            return None
        prosody = self._guarded("emotion", meter.latest, _NEUTRAL)
        self._held = msgspec.structs.replace(self._held, prosody=prosody)
        return prosody

    def finished(self, outcome: Outcome) -> None:
        """Take what a span with speech adds."""
        quality = self._guarded("quality", self._quality.latest, None)
        self._held = after(msgspec.structs.replace(self._held, quality=quality), outcome)

    def encoded(self, now_ms: int) -> bytes:
        """Give what goes with the next commit."""
        prosody = self.emotion()
        self._held = msgspec.structs.replace(self._held, at_ms=now_ms, prosody=prosody)
        return encode_measured(self._held)
