"""Training batches: every row of a batch has the same window length, so nothing is masked."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

import tokens
from clips import Clip, Plan, Source
from features import LogMel

FULL = 3000  # frames of a 30 s window
AUDIO_FRAMES = 7500  # frames of one batch, all rows together
LENGTHS = (
    30,
    50,
    80,
    120,
    160,
    200,
    250,
    300,
    350,
    400,
    500,
    600,
    700,
    800,
    1000,
    1200,
    1600,
    2400,
)
SHARES = np.array((3, 4, 5, 6, 7, 8, 8, 9, 9, 9, 9, 8, 7, 6, 6, 5, 5, 3)) / 117
PADDED_LENGTHS = (400, 600, 800, 1000, 1300)
PROMPT_TOKENS = 3000  # of one batch, all rows together
FIRST_START = tokens.FIRST_TIMESTAMP + 50  # decoders allow a first start of at most 1 s
IGNORED = -100
WIDTHS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 320, 384, 448)  # few shapes, reusable kernels
Span = tuple[int, int]


@dataclass(frozen=True)
class Batch:
    """Features (b, 80, n), tokens and targets (b, t), spans (b, t, 2) in 20 ms steps.

    `now` is where the word of the input token lies, `then` that of the target token;
    an empty span means unknown. `phonemes` (b, n / 2) is -100 where the window is padding.
    """

    features: Tensor
    tokens: Tensor
    targets: Tensor
    now: Tensor
    then: Tensor
    phonemes: Tensor
    offset: int
    kind: str


@dataclass
class _Row:
    tokens: list[int]
    spans: list[Span]

    def add(self, token: int, span: Span = (0, 0)) -> None:
        self.tokens.append(token)
        self.spans.append(span)


class Windows:
    """Draws batches whose mix depends on the progress of training (0 to 1)."""

    def __init__(self, source: Source, text: tokens.Text) -> None:
        self._source, self._text, self._rng = source, text, source.rng
        self._log_mel = LogMel(source.rng)

    def batch(self, progress: float) -> Batch:
        """Return the next batch."""
        rng = self._rng
        kind, frames = self._shape(progress)
        rows = min(max(round(AUDIO_FRAMES / frames), 2), 64)
        clips = [self._clip(kind, frames) for _ in range(rows)]
        # A shorter window may stand for any part of a longer one: late times at little cost.
        shift = kind == "cut" and rng.random() < 0.35
        offset = int(rng.integers(0, (FULL - frames) // 2)) if shift else 0
        prompted = rng.random() < min(0.40, 2 * (progress - 0.1))
        longest = int(rng.choice([24, 56, 112, 223], p=[0.4, 0.3, 0.15, 0.15])) if prompted else 0
        longest = min(longest, PROMPT_TOKENS // rows)
        lines = [self._row(clip, frames, offset, longest) for clip in clips]
        return self._assemble(clips, lines, (frames, offset, kind))

    def _shape(self, progress: float) -> tuple[str, int]:
        """Return the kind of window with its frames: short ones first, long ones later."""
        rng = self._rng
        if progress < 0.06:
            return "easy", int(rng.choice([160, 200, 250, 300, 350, 400, 500]))
        # Whole windows cost twice as much, so they get their full share only at the end.
        full = np.interp(progress, (0.15, 0.35, 0.65, 0.85), (0, 0.18, 0.18, 0.36))
        draw = rng.random() - full
        if draw < 0:
            return "full", FULL
        longest = 400 + 4000 * progress
        if draw < 0.18:
            return "padded", int(rng.choice([n for n in PADDED_LENGTHS if n <= longest]))
        while (frames := int(rng.choice(LENGTHS, p=SHARES))) > longest:
            pass
        return "cut", frames

    def _clip(self, kind: str, frames: int) -> Clip:
        rng = self._rng
        length = frames * 160
        plan = Plan(length)
        if kind == "easy":
            return self._source.clip(Plan(length, cut=False, clean=True))
        if kind == "padded":
            length = int(length * rng.uniform(0.25, 0.95))
        elif kind == "full" and rng.random() < 0.42:
            length = int(rng.uniform(1, 14) * 16_000)
            plan = replace(plan, most=int(rng.integers(1, 4)))
        elif kind == "full":
            plan = replace(plan, gap=(1500, int(rng.choice([8000, 16_000, 40_000]))))
            if rng.random() < 0.5:
                length = int(rng.uniform(14, 30) * 16_000)
        if rng.random() < 0.07:
            return self._source.silence(length)
        plan = replace(plan, length=length, cut=rng.random() < 0.55, late=rng.random() < 0.15)
        if rng.random() < 0.12:
            plan = replace(plan, lead=(8000, 48_000))
        return self._source.clip(plan)

    def _prompt(self, clip: Clip, longest: int) -> list[int]:
        if not longest or self._rng.random() < 0.15:
            return []
        count = int(self._rng.integers(1, max(2, longest // 8)))
        words = [word for _ in range(count) for word in self._source.text().split()]
        if clip.utterances and self._rng.random() < 0.06:  # speakers do repeat themselves
            words += [word for word, _, _ in clip.utterances[0].words]
        return [tokens.START_OF_PREV, *self._text.words(words)[-longest:]]

    def _row(self, clip: Clip, frames: int, offset: int, longest: int) -> tuple[_Row, int]:
        """Return the tokens of a row with the index from which they are targets."""
        prompt = self._prompt(clip, longest)
        row = _Row(prompt.copy(), [(0, 0)] * len(prompt))
        row.add(tokens.SOT)
        timed = self._rng.random() < 0.75
        if not _says(clip):
            row.add(tokens.FIRST_TIMESTAMP if timed else tokens.NO_TIMESTAMPS)
        elif timed:
            self._timed(row, clip, frames, offset)
        else:
            row.add(tokens.NO_TIMESTAMPS)
            for utterance in clip.utterances:
                self._words(row, utterance.words, offset)
        row.add(tokens.EOT)
        return row, len(prompt)

    def _timed(self, row: _Row, clip: Clip, frames: int, offset: int) -> None:
        begun = False
        whole_window = frames == FULL and len(clip.audio) == FULL * 160
        for utterance in clip.utterances:
            start = utterance.start + offset * 320
            mark = tokens.timestamp(start)
            if not begun and not offset:
                mark = min(mark, FIRST_START)
            if utterance.cut and begun and whole_window:
                row.add(mark, _around(start))
                return
            if not utterance.words:
                continue
            row.add(mark, _around(start))
            self._words(row, utterance.words, offset)
            end = utterance.words[-1][2] + offset * 320
            row.add(tokens.timestamp(end), _around(end))
            begun = True

    def _words(self, row: _Row, words: list[tuple[str, int, int]], offset: int) -> None:
        for word, start, end in words:
            first = start // 320 + offset
            span = (first, max(-(-end // 320) + offset, first + 1))
            for token in self._text.word(word):
                row.add(token, span)

    def _assemble(
        self, clips: list[Clip], lines: list[tuple[_Row, int]], shape: tuple[int, int, str]
    ) -> Batch:
        frames, offset, kind = shape
        count = len(clips)
        longest = max(len(row.tokens) for row, _ in lines) - 1
        width = next(width for width in WIDTHS if width >= longest)
        audio = torch.zeros(count, frames * 160)
        inputs = torch.full((count, width), tokens.EOT)
        targets = torch.full((count, width), IGNORED)
        now, then = torch.zeros(2, count, width, 2, dtype=torch.long)
        phonemes = torch.full((count, (frames + 1) // 2), IGNORED)
        for index, (clip, (row, first)) in enumerate(zip(clips, lines, strict=True)):
            audio[index, : len(clip.audio)] = torch.from_numpy(clip.audio)
            size = len(row.tokens) - 1
            inputs[index, :size] = torch.tensor(row.tokens[:-1])
            targets[index, first:size] = torch.tensor(row.tokens[first + 1 :])
            if not _says(clip):
                targets[index, first] = tokens.NO_SPEECH
            now[index, :size] = torch.tensor(row.spans[:-1])
            then[index, :size] = torch.tensor(row.spans[1:])
            labels = torch.from_numpy(clip.phonemes[::2])
            phonemes[index, : len(labels)] = labels
        features = self._log_mel(audio, vary=True)
        for index, clip in enumerate(clips):
            features[index, :, -(-len(clip.audio) // 160) :] = 0
        now, then = (torch.clamp(span - offset, min=0) for span in (now, then))
        return Batch(features, inputs, targets, now, then, phonemes, offset, kind)


def _says(clip: Clip) -> bool:
    return any(utterance.words for utterance in clip.utterances)


def _around(sample: int) -> Span:
    step = sample // 320
    return max(step - 2, 0), step + 3
