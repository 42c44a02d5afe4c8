"""Clips of a given length: utterances laid out in time, cut at both ends, with background."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

import noise
from pool import Record
from speech import FRAME

NO_PHONEME = 0


@dataclass(frozen=True)
class Utterance:
    """The complete words of one utterance with their samples; `cut` if its end is missing."""

    words: list[tuple[str, int, int]]
    cut: bool
    start: int


@dataclass(frozen=True)
class Clip:
    """Audio at 16 kHz, its utterances, and the phoneme class of every 10 ms."""

    audio: npt.NDArray[np.float32]
    utterances: list[Utterance]
    phonemes: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """How to fill a clip; times in samples."""

    length: int
    most: int = 30  # utterances
    gap: tuple[int, int] = (2000, 14000)
    lead: tuple[int, int] = (0, 8000)
    cut: bool = True  # the end may fall inside an utterance
    late: bool = False  # the start may fall inside an utterance
    clean: bool = False


@dataclass
class Source:
    """Everything clips are made of."""

    audio: npt.NDArray[np.int16]
    records: list[Record]
    phonemes: dict[str, int]
    sounds: list[noise.Sound]
    rng: np.random.Generator
    durations: npt.NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.records.sort(key=lambda record: int(record["samples"]))
        self.durations = np.array([record["samples"] for record in self.records])

    def text(self) -> str:
        """Return the text of a random utterance."""
        return str(self.records[self.rng.integers(len(self.records))]["text"])

    def clip(self, plan: Plan) -> Clip:
        """Return a clip of speech made by the plan; it may be silent if nothing fits."""
        rng = self.rng
        audio = np.zeros(plan.length, np.float32)
        phonemes = np.full(-(-plan.length // FRAME), NO_PHONEME)
        utterances: list[Utterance] = []
        at = int(rng.integers(*plan.lead))
        for _ in range(plan.most):
            room = plan.length - at
            fitting = len(self.records) if plan.cut else np.searchsorted(self.durations, room)
            if fitting < 20 or room < FRAME:
                break
            record = self.records[rng.integers(fitting)]
            if plan.late and not utterances and rng.random() < 0.5:
                at = -int(rng.integers(0, record["samples"]))
            self._place(record, at, audio, phonemes)
            if (utterance := _visible(record, at, plan.length)).words or utterance.cut:
                utterances.append(utterance)
            at += int(record["samples"]) + int(rng.integers(*plan.gap))
        return Clip(self._degrade(audio, clean=plan.clean), utterances, phonemes)

    def silence(self, length: int) -> Clip:
        """Return a clip without speech: digital zeros or any of the sounds at any level."""
        rng = self.rng
        audio = np.zeros(length, np.float32)
        for _ in range(rng.choice([0, 1, 2], p=[0.15, 0.6, 0.25])):
            sound = self._sound(length) * 10 ** (rng.uniform(-70, -4) / 20)
            if rng.random() < 0.3:
                first, last = sorted(rng.integers(0, length, 2))
                sound[:first] = sound[last:] = 0
            audio += sound
        phonemes = np.full(-(-length // FRAME), NO_PHONEME)
        return Clip(np.clip(audio, -1, 1), [], phonemes)

    def _place(
        self,
        record: Record,
        at: int,
        audio: npt.NDArray[np.float32],
        phonemes: npt.NDArray[np.int64],
    ) -> None:
        first, count = record["first"], record["samples"]
        begin, end = max(at, 0), min(at + count, len(audio))
        speech = self.audio[first + begin - at : first + end - at] / np.float32(32768)
        audio[begin:end] += speech * 10 ** (self.rng.uniform(-4, 4) / 20)
        for start, name in record["phonemes"]:
            frame = max((at + start) // FRAME, 0)
            phonemes[frame : max((at + count) // FRAME, 0)] = self.phonemes.get(name, NO_PHONEME)

    def _degrade(self, audio: npt.NDArray[np.float32], *, clean: bool) -> npt.NDArray[np.float32]:
        rng = self.rng
        if not clean and rng.random() < 0.5:
            audio = audio + self._sound(len(audio)) * 0.15 * 10 ** (-rng.uniform(5, 45) / 20)
        loud = np.clip(audio * 10 ** (rng.uniform(-24, 4) / 20), -1, 1)
        return np.asarray(loud, dtype=np.float32)

    def _sound(self, length: int) -> npt.NDArray[np.float32]:
        sound = self.sounds[self.rng.integers(len(self.sounds))]
        first = int(self.rng.integers(0, len(sound)))
        return np.resize(np.roll(sound, -first), length)


def _visible(record: Record, at: int, length: int) -> Utterance:
    """Keep the words that lie wholly in the clip; the final mark needs a little more audio."""
    kept = []
    texts = record["text"].split()
    for text, (start, end) in zip(texts, record["words"], strict=True):
        if at + start >= -240 and at + end <= length + 320:
            kept.append((text, max(at + start, 0), min(at + end, length)))
    last = at + record["words"][-1][1]
    cut = last > length + 320
    if kept and not cut and last + 1600 > length:
        text, start, end = kept[-1]
        kept[-1] = (text.rstrip(".?"), start, end)
    return Utterance(kept, cut, max(at + record["words"][0][0], 0))
