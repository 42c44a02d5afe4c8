"""How long words take, from sound that is known to the sample to the message that shows it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Final

from bench.recognition.fixture import Spoken
from bench.recognition.seen import SeenFinal, SeenSession

from steno_audio import SAMPLE_RATE

FIRST_SPEECH: Final = SAMPLE_RATE // 2
"""Speech after which a first partial is due; a segment with less has none to wait for."""


@dataclass(slots=True)
class Latencies:
    """Seconds, one value a segment; times of sound are when a microphone would have sent it."""

    partial_after_half_second: list[float] = field(default_factory=list)
    """From the end of the first 0.5 s of speech to the segment's first words, partial or final."""
    partial_after_start: list[float] = field(default_factory=list)
    """From the start of the speech to the same."""
    final_after_word: list[float] = field(default_factory=list)
    """From the end of the last word to the final: the pause that ends the segment is in it."""
    final_after_pause: list[float] = field(default_factory=list)
    """From the end of the pause that ends the segment to the final."""
    final_after_segment: list[float] = field(default_factory=list)
    """From the segment's last chunk, which holds half of that pause, to the final."""
    without_partial: int = 0
    """Segments with 0.5 s of speech whose first words were the final."""
    invented: int = 0
    """Finals where nobody spoke."""

    def extend(self, other: "Latencies") -> None:
        """Take the values of another session."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


@dataclass(frozen=True, slots=True)
class Pace:
    """How a session's audio is sent, and which of it counts."""

    chunk: int
    """Samples."""
    counted: tuple[float, float]
    """Only segments whose last word ends between these seconds of the session count."""
    pause: float = 0.6
    """Seconds of silence that end a segment."""

    def sent(self, sample: int) -> float:
        """Say when the chunk with the sample before `sample` is due, in seconds of the session."""
        return math.ceil(sample / self.chunk) * self.chunk / SAMPLE_RATE


def measure_latencies(seen: SeenSession, words: Sequence[Spoken], pace: Pace) -> Latencies:
    """Measure each final of a session with the partials before it."""
    found = Latencies()
    border = 0.0
    for final in seen.finals:
        spoken = _spoken_in(words, final, border)
        border = final.end
        if not spoken:
            found.invented += 1
            continue
        start, end = spoken[0].start, spoken[-1].end
        if not pace.counted[0] <= end / SAMPLE_RATE < pace.counted[1]:
            continue
        found.final_after_word.append(final.at - pace.sent(end))
        decided = round((final.end + pace.pause) * SAMPLE_RATE)
        found.final_after_pause.append(final.at - pace.sent(decided))
        found.final_after_segment.append(final.at - final.sequence * pace.chunk / SAMPLE_RATE)
        if end - start < FIRST_SPEECH:
            continue
        first = _first_partial(seen, final)
        found.without_partial += first is None
        shown = final.at if first is None else first
        found.partial_after_half_second.append(shown - pace.sent(start + FIRST_SPEECH))
        found.partial_after_start.append(shown - pace.sent(start))
    return found


def _spoken_in(words: Sequence[Spoken], final: SeenFinal, border: float) -> list[Spoken]:
    """Give the words of a final's segment; of one that a cut divides, the part behind it."""
    begin, end = round(final.start * SAMPLE_RATE), round(final.end * SAMPLE_RATE)
    cut = round(border * SAMPLE_RATE)
    return [
        Spoken(word.text, max(word.start, cut), word.end)
        for word in words
        if word.end > begin and word.start < end
    ]


def _first_partial(seen: SeenSession, final: SeenFinal) -> float | None:
    return min(
        (p.at for p in seen.partials if final.start <= p.start < final.end and p.at < final.at),
        default=None,
    )


def together(measured: Iterable[Latencies]) -> Latencies:
    """Join the values of many sessions."""
    joined = Latencies()
    for each in measured:
        joined.extend(each)
    return joined
