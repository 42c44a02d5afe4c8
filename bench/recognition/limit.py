"""The machine's limit: the same windows through CTranslate2 with nothing around it."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

import ctranslate2
import numpy as np
from bench.recognition.fixture import Clip
from bench.recognition.offline import device_of
from bench.recognition.windows import Audio, Group, order, windows_for
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens
from numpy.typing import NDArray

from steno_transcriber.settings import RecognitionSettings

_CONTEXT_CHARACTERS: Final = 200
"""Text before a window that is its prompt."""
_FRAMES_A_SECOND: Final = 100
_LONGEST: Final = 448
"""Positions of Whisper's decoder."""
_ROUND: Final = 64


@dataclass(frozen=True, slots=True)
class Split:
    """How CTranslate2 uses the cores: batches side by side, threads of each."""

    inter: int
    intra: int


@dataclass(frozen=True, slots=True)
class Limit:
    """What one split reached with one size of batch."""

    split: Split
    batch: int
    windows_per_second: float


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried: which windows, how long for each figure."""

    model: Path
    clips: Sequence[Clip]
    groups: Sequence[Group]
    settings: RecognitionSettings
    seconds: float = 3.0


@dataclass(slots=True)
class _Batches:
    """Batches of all groups, ready for the model; each group keeps to its share."""

    whisper: WhisperModel
    tokenizer: Tokenizer
    trial: Trial
    size: int
    prompt: list[int]
    features: list[NDArray[np.float32]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for group in self.trial.groups:
            windows = windows_for(group, self.trial.clips, self.size)
            rows = [_features(self.whisper, window, group.seconds) for window in windows]
            self.features.append(np.ascontiguousarray(np.stack(rows)))

    def decode(self, index: int) -> int:
        """Decode the batch of a group; give its number of windows."""
        group, settings, model = self.trial.groups[index], self.trial.settings, self.whisper.model
        encoded = model.encode(ctranslate2.StorageView.from_array(self.features[index]))
        results = model.generate(
            encoded,
            [self.prompt] * self.size,
            beam_size=settings.whisper_beam_size if group.kind == "final" else 1,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=list(get_suppressed_tokens(self.tokenizer, [-1])),
            max_initial_timestamp_index=50,
            max_length=min(_LONGEST, len(self.prompt) + settings.whisper_max_tokens),
        )
        if group.kind == "final":
            said = [[t for t in r.sequences_ids[0] if t < self.tokenizer.eot] for r in results]
            frames = [round(group.seconds * _FRAMES_A_SECOND)] * self.size
            model.align(encoded, self.tokenizer.sot_sequence, said, frames)
        return self.size


def _features(whisper: WhisperModel, window: Audio, seconds: float) -> NDArray[np.float32]:
    found: Any = whisper.feature_extractor(window.astype(np.float32) / 32_768)[..., :-1]
    frames = round(seconds * _FRAMES_A_SECOND)
    return np.pad(found[:, :frames], ((0, 0), (0, max(0, frames - found.shape[1]))))


def splits(device: str, cores: int) -> list[Split]:
    """Give the ways to use the cores that are worth a trial."""
    if device == "cuda":
        return [Split(1, 1), Split(2, 1)]
    inter = sorted({1, cores // 2, cores} - {0})
    return [Split(number, cores // number) for number in inter]


def limits(trial: Trial, tried: Sequence[Split], batches: Sequence[int]) -> Iterator[Limit]:
    """Measure each split with each size of batch."""
    device, compute_type = device_of(trial.settings)
    for split in tried:
        whisper = WhisperModel(
            str(trial.model),
            device=device,
            compute_type=compute_type,
            cpu_threads=split.intra,
            num_workers=split.inter,
        )
        tokenizer = Tokenizer(
            whisper.hf_tokenizer, whisper.model.is_multilingual, task="transcribe", language="en"
        )
        context = " ".join(clip.text for clip in trial.clips)[-_CONTEXT_CHARACTERS:]
        prompt = whisper.get_prompt(tokenizer, tokenizer.encode(f" {context.strip()}"))
        for size in batches:
            ready = _Batches(whisper, tokenizer, trial, size, prompt)
            yield Limit(split, size, _rate(ready, split.inter, trial))


def _rate(batches: _Batches, side_by_side: int, trial: Trial) -> float:
    turns = order([group.share for group in trial.groups], _ROUND)
    for index in range(len(trial.groups)):
        batches.decode(index)
    numbers = count()
    begin = time.monotonic()

    def work() -> int:
        windows = 0
        while time.monotonic() < begin + trial.seconds:
            windows += batches.decode(turns[next(numbers) % _ROUND])
        return windows

    with ThreadPoolExecutor(side_by_side) as threads:
        tasks = [threads.submit(work) for _ in range(side_by_side)]
        windows = sum(task.result() for task in tasks)
    return windows / (time.monotonic() - begin)
