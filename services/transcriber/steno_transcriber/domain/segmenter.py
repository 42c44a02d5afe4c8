"""Borders between segments: a pure function of the samples since the last border.

Everything starts anew at a border, the speech detector included. So the segmenter after a border
depends on nothing before it, a checkpoint is one sample position, however the samples were cut.
Positions and lengths are samples at 16 kHz.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from steno_common.units import SAMPLE_RATE
from steno_transcriber.domain.samples import Samples
from steno_transcriber.domain.scan import BLOCK, FRAME, Scan, SpeechProbability

SILENCE: Final = SAMPLE_RATE
"""Silence is released in pieces of about this length."""

Reason = Literal["silence", "pause", "cut", "flush"]
"""What made a border: silence without speech, a pause after speech, the limit, or a request."""


@dataclass(frozen=True, slots=True)
class Rules:
    """When a segment ends and how much of it is decoded."""

    pause: int
    """Non-speech that ends a segment."""
    max_segment: int
    """Longest decoded window; longer speech is cut where it is most silent."""
    pad: int = 6_400
    """Audio decoded before and after the detected speech."""
    min_speech: int = 1_600
    """Shorter speech is a click: it is not decoded."""

    def __post_init__(self) -> None:
        if self.pause < 2 * FRAME or self.max_segment < 4 * FRAME:
            raise ValueError("a pause takes 64 ms at least, a segment 128 ms")
        if not 0 <= self.pad <= self.max_segment // 4:
            raise ValueError("the pad takes at most a quarter of the longest segment")

    @property
    def trail(self) -> int:
        """Audio decoded after speech: at most half the pause, the rest leads the next segment."""
        return min(self.pad, self.pause // 2)

    @property
    def lead(self) -> int:
        """Audio of a pause that is left for the next segment, so that its first word is whole."""
        return min(self.pad, self.pause - self.trail)


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Samples `start` to `end`, closed for good; without speech `audio` is empty.

    `speech_start` to `speech_end` is what the detector called speech, empty at `start` if none;
    `audio` is that with its pads, `audio_start` its first sample.
    """

    start: int
    end: int
    speech_start: int
    speech_end: int
    audio_start: int
    audio: Samples
    reason: Reason
    decided: int
    """Sample after the last one that had to be heard to close it, not before `end`."""

    @property
    def audio_end(self) -> int:
        """Sample after the last one of `audio`."""
        return self.audio_start + len(self.audio)


@dataclass(frozen=True, slots=True, eq=False)
class OpenSpeech:
    """Speech that may still go on: the part of it that is known to be decoded at the end."""

    speech_start: int
    audio_start: int
    audio: Samples
    settled: bool
    """Nothing more will be decoded with it unless speech goes on before the pause is over."""

    @property
    def audio_end(self) -> int:
        """Sample after the last one of `audio`."""
        return self.audio_start + len(self.audio)


class Segmenter:
    """Cuts one session's samples into segments that tile it without a hole.

    `offset + buffered == received` after every call. `start_detector` gives a fresh detector; it
    is asked for one at every border.
    """

    def __init__(
        self, position: int, rules: Rules, start_detector: Callable[[], SpeechProbability]
    ) -> None:
        self.offset = position
        self._rules = rules
        self._start_detector = start_detector
        self._buffer: Samples = np.empty(0, np.int16)
        self._scan = Scan(start_detector())

    @property
    def buffered(self) -> int:
        """Samples received since the last border."""
        return len(self._buffer)

    @property
    def received(self) -> int:
        """Position after the last sample received."""
        return self.offset + self.buffered

    def feed(self, samples: Samples) -> list[Segment]:
        """Take the next samples; give the segments that they close, in order."""
        self._buffer = np.concatenate((self._buffer, samples))
        segments = []
        while self._scan.scored + BLOCK <= len(self._buffer):
            if (border := self._next_border()) is not None:
                segments.append(self._take(*border))
        return segments

    def flush(self) -> list[Segment]:
        """Close everything up to the last sample, a block that is not full included."""
        return [self._take(self.buffered, "flush")] if self.buffered else []

    def open_speech(self) -> OpenSpeech | None:
        """Give the speech that no border has closed yet, None in silence."""
        scan = self._scan
        if scan.speech_start is None:
            return None
        start, end = self._decoded(scan.scored)
        return OpenSpeech(
            speech_start=self.offset + scan.speech_start,
            audio_start=self.offset + start,
            # A view: the buffer is replaced when it grows, never written to.
            audio=self._buffer[start:end],
            settled=scan.quiet_since is not None
            and scan.quiet_since + self._rules.trail <= scan.scored
            and scan.quiet_since - scan.speech_start >= self._rules.min_speech,
        )

    def _next_border(self) -> tuple[int, Reason] | None:
        """Scan one more block, up to the border if there is one in it."""
        scan = self._scan
        for percent, energy in scan.judge(self._buffer[scan.scored : scan.scored + BLOCK]):
            scan.add(percent, energy)
            if (border := self._border()) is not None:
                return border
        return None

    def _border(self) -> tuple[int, Reason] | None:
        scan, rules = self._scan, self._rules
        if scan.speech_start is None:
            enough = scan.scored >= SILENCE + rules.pad
            return (scan.scored - rules.pad, "silence") if enough else None
        if scan.quiet_since is not None and scan.scored - scan.quiet_since >= rules.pause:
            return scan.scored - rules.lead, "pause"
        if scan.scored + FRAME - self._decoded(scan.scored)[0] > rules.max_segment:
            return self._most_silent(), "cut"
        return None

    def _most_silent(self) -> int:
        """Give the middle of the most silent frame in the last third, the latest of equals."""
        scan, limit = self._scan, self._rules.max_segment
        earliest = scan.scored // FRAME - max(1, limit // 3 // FRAME)
        choice = min(
            range(earliest, scan.scored // FRAME), key=lambda frame: (scan.frames[frame], -frame)
        )
        return choice * FRAME + FRAME // 2

    def _decoded(self, border: int) -> tuple[int, int]:
        """Give the bounds of what is decoded of speech that ends at `border`, from the offset."""
        scan, rules = self._scan, self._rules
        assert scan.speech_start is not None
        quiet = border if scan.quiet_since is None else scan.quiet_since + rules.trail
        return max(0, scan.speech_start - rules.pad), min(border, quiet)

    def _take(self, border: int, reason: Reason) -> Segment:
        """Close the samples before `border`; the rest is scanned again by a fresh detector."""
        scan, start = self._scan, self.offset
        speech = (0, 0)
        audio = (0, 0)
        if scan.speech_start is not None:
            quiet = border if scan.quiet_since is None else min(border, scan.quiet_since)
            if quiet - scan.speech_start >= self._rules.min_speech:
                speech, audio = (scan.speech_start, quiet), self._decoded(border)
        segment = Segment(
            start=start,
            end=start + border,
            speech_start=start + speech[0],
            speech_end=start + speech[1],
            audio_start=start + audio[0],
            audio=self._buffer[slice(*audio)].copy(),
            reason=reason,
            decided=start + max(border, 0 if reason == "flush" else scan.scored),
        )
        self.offset += border
        self._buffer = self._buffer[border:].copy()
        self._scan = Scan(self._start_detector())
        return segment
