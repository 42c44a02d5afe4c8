"""What the commits of a session add up to, for its metrics."""

from dataclasses import dataclass

import msgspec

from steno_common.measured import Measured
from steno_transcriber.domain.hypothesis import Hypothesis


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one span adds."""

    hypothesis: Hypothesis | None = None
    engine_seconds: float = 0.0
    lost_chunks: int = 0
    """Chunks with speech that will have no text; with any of them the span counts as a failure."""


def after(held: Measured, outcome: Outcome) -> Measured:
    """Add one span to what is known of its session."""
    words, confidence = held.words, held.confidence
    if (said := outcome.hypothesis) is not None and said.words:
        words += len(said.words)
        confidence += (said.confidence - confidence) * len(said.words) / words
    return msgspec.structs.replace(
        held,
        words=words,
        confidence=confidence,
        engine_seconds=held.engine_seconds + outcome.engine_seconds,
        lost_chunks=held.lost_chunks + outcome.lost_chunks,
        failures=held.failures + (outcome.lost_chunks > 0),
    )
