"""Whether everything that was said came back: words, order, accounting."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.recognition.fixture import Clip
from bench.recognition.plan import Plan
from bench.recognition.seen import SeenSession
from bench.recognition.word_errors import NOTHING, WordErrors, compare, normalised

from steno_audio import SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Quality:
    """How well sessions were understood."""

    truth: WordErrors = NOTHING
    """Finals against what was said."""
    offline_truth: WordErrors = NOTHING
    """faster-whisper's own words against what was said."""
    offline: WordErrors = NOTHING
    """Finals against faster-whisper's own words."""
    lost_clips: int = 0
    """Clips without a single word."""

    def __add__(self, other: "Quality") -> "Quality":
        return Quality(
            self.truth + other.truth,
            self.offline_truth + other.offline_truth,
            self.offline + other.offline,
            self.lost_clips + other.lost_clips,
        )

    @property
    def points_above_offline(self) -> float:
        """How many per cent more errors than offline decoding."""
        return round(100 * (self.truth.rate - self.offline_truth.rate), 3)


def judge_words(
    seen: SeenSession, plan: Plan, clips: Sequence[Clip], offline: Mapping[str, str]
) -> Quality:
    """Compare one session; `offline` holds faster-whisper's text of each clip by name."""
    said = [word for place in plan.placed for word in normalised(clips[place.clip].text)]
    understood = [word for final in seen.finals for word in normalised(final.text)]
    decoded = [w for place in plan.placed for w in normalised(offline[clips[place.clip].name])]
    return Quality(
        truth=compare(said, understood),
        offline_truth=compare(said, decoded),
        offline=compare(decoded, understood),
        lost_clips=lost_clips(seen, plan, clips),
    )


def lost_clips(seen: SeenSession, plan: Plan, clips: Sequence[Clip]) -> int:
    """Count the clips without a word; a border lies in the middle of each pause."""
    spans = [
        (place.start + words[0].start, place.start + words[-1].end)
        for place in plan.placed
        if (words := clips[place.clip].words)
    ]
    borders = [(before[1] + after[0]) / 2 / SAMPLE_RATE for before, after in pairwise(spans)]
    heard = {
        bisect_right(borders, (word.start + word.end) / 2)
        for final in seen.finals
        for word in final.words
    }
    return len(spans) - len(heard & set(range(len(spans))))


def word_faults(quality: Quality, points: float) -> Iterator[str]:
    """Say whether words are missing or wrong, by more than `points` per cent beyond offline."""
    if quality.lost_clips:
        yield f"{quality.lost_clips} clips without a word"
    if quality.points_above_offline > points:
        yield f"error rate {quality.points_above_offline:.1f} points above offline decoding"


def faults(seen: SeenSession, plan: Plan) -> Iterator[str]:
    """Say what is wrong with a session whatever was understood."""
    name = f"session {seen.index}"
    yield from (f"{name}: {fault}" for fault in seen.faults)
    if not seen.completed:
        yield f"{name}: not completed"
        return
    received = seen.statistics["received_samples"]
    done = seen.statistics["transcribed_samples"] + seen.statistics["silence_samples"]
    if received != plan.samples or done != received:
        yield f"{name}: {plan.samples} samples sent, {received} received, {done} accounted for"
    for before, after in pairwise(seen.finals):
        if after.event <= before.event or after.start < before.end:
            yield f"{name}: final {after.event} at {after.start} s is out of order"
    if seen.statistics["finals"] != len(seen.finals):
        yield f"{name}: {seen.statistics['finals']} finals made, {len(seen.finals)} seen"
