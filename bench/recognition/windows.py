"""Windows like those that a transcriber decodes, cut from clips whose words are known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Final

import numpy as np
from bench.recognition.fixture import Clip
from bench.recognition.pages import Page
from numpy.typing import NDArray

from steno_audio import SAMPLE_RATE

_PAD: Final = round(0.4 * SAMPLE_RATE)
_PAUSE: Final = round(0.6 * SAMPLE_RATE)
_STEP: Final = SAMPLE_RATE // 2
_FULL_SECONDS: Final = 30.0
_FIT_SECONDS: Final = 2.6
"""Silence behind the audio of a window that is not padded to 30 s."""

Audio = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Group:
    """Windows of one kind and one padded length, as a share of all."""

    kind: str
    """`final` or `partial`."""
    seconds: float
    share: float


def groups_of(page: Page) -> list[Group]:
    """Read which windows transcribers have decoded.

    Without a count by length, all of them were padded to 30 s.
    """
    counts: dict[tuple[str, float], float] = {}
    for labels, value in page.samples("steno_transcriber_windows_total"):
        if value:
            counts[labels["kind"], float(labels["seconds"])] = value
    if not counts:
        for labels, value in page.samples("steno_transcriber_window_wait_seconds_count"):
            if value:
                counts[labels["kind"], _FULL_SECONDS] = value
    total = sum(counts.values())
    return [Group(*key, value / total) for key, value in sorted(counts.items())]


def parse_groups(text: str) -> list[Group]:
    """Read `final:6=1,partial:6=4`: kind, padded seconds, weight. Raises ValueError."""
    parts = [part.replace("=", ":").split(":") for part in text.split(",")]
    total = sum(float(weight) for _, _, weight in parts)
    if total <= 0 or any(kind not in ("final", "partial") for kind, _, _ in parts):
        raise ValueError(f"not a mix of windows: {text}")
    return [Group(kind, float(seconds), float(weight) / total) for kind, seconds, weight in parts]


def segments(clips: Sequence[Clip]) -> Iterator[Audio]:
    """Cut each clip where it pauses, with the pads of a final."""
    for clip in clips:
        begin = None
        for word, after in zip(clip.words, [*clip.words[1:], None], strict=True):
            begin = word.start if begin is None else begin
            if after is None or after.start - word.end >= _PAUSE:
                yield clip.audio[max(0, begin - _PAD) : word.end + _PAD]
                begin = None


def prefixes(segment: Audio) -> Iterator[Audio]:
    """Give what partials of a segment see of it: 0.5 s of speech, and 0.5 s more each time."""
    for end in range(_PAD + _STEP, len(segment) - _PAD + 1, _STEP):
        yield segment[:end]


def windows_for(group: Group, clips: Sequence[Clip], count: int) -> list[Audio]:
    """Give `count` windows of a group, those first that fill its length best."""
    found = [each for each in segments(clips) if len(each) <= group.seconds * SAMPLE_RATE]
    if group.kind == "partial":
        found = [prefix for segment in found for prefix in prefixes(segment)] or found
    if not found:
        found = [clips[0].audio[: round(group.seconds * SAMPLE_RATE)]]
    if group.seconds < _FULL_SECONDS:
        wanted = (group.seconds - _FIT_SECONDS) * SAMPLE_RATE
        found.sort(key=lambda audio: abs(len(audio) - wanted))
    return list(islice(cycle(found[:count]), count))


def order(shares: Sequence[float], length: int) -> list[int]:
    """Say which group comes when, so that each is as near as can be to its share at any time."""
    given = [0] * len(shares)
    found = []
    for number in range(1, length + 1):
        chosen = max(range(len(shares)), key=lambda i: shares[i] * number - given[i])
        given[chosen] += 1
        found.append(chosen)
    return found
