"""Decoding as clients of the model do it, with the count of wrong words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import ctranslate2
import numpy as np
import numpy.typing as npt
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer

Audio = npt.NDArray[np.float32]
FULL = 3000  # frames of 30 s


def plain(text: str) -> list[str]:
    """Return the words in lower case without marks."""
    return re.sub(r"[^a-z0-9' ]", "", text.lower()).split()


def word_errors(truth: Sequence[str], heard: Sequence[str]) -> int:
    """Return the least number of words to replace, drop or add."""
    row = list(range(len(heard) + 1))
    for i, wanted in enumerate(truth, start=1):
        before, row[0] = row[0], i
        for j, got in enumerate(heard, start=1):
            cost = min(before + (wanted != got), row[j] + 1, row[j - 1] + 1)
            before, row[j] = row[j], cost
    return row[-1]


@dataclass
class Score:
    """Wrong words out of all words."""

    wrong: int = 0
    words: int = 0

    def add(self, truth: str, heard: str) -> int:
        """Count one clip; returns its number of wrong words."""
        errors = word_errors(plain(truth), plain(heard))
        self.wrong += errors
        self.words += len(plain(truth))
        return errors

    def __str__(self) -> str:
        return f"{100 * self.wrong / max(self.words, 1):.1f} % ({self.wrong}/{self.words})"


@dataclass(frozen=True)
class Answer:
    """Tokens of one window with their mean log probability."""

    text: str
    tokens: list[int]
    score: float
    no_speech: float


class Direct:
    """One window at a time or many of one length, without the retries of faster-whisper."""

    def __init__(self, model: WhisperModel) -> None:
        self._model = model
        self._tokenizer = Tokenizer(model.hf_tokenizer, False)

    def features(self, audio: Audio, frames: int | None = None) -> npt.NDArray[np.float32]:
        """Return the features (80, n), filled with zeros up to so many frames."""
        features: npt.NDArray[np.float32] = self._model.feature_extractor(audio)[:, :-1]
        if frames is None:
            return features
        return np.pad(features[:, :frames], ((0, 0), (0, max(0, frames - features.shape[1]))))

    def decode(
        self, rows: Sequence[npt.NDArray[np.float32]], *, prompt: str = "", beam: int = 1
    ) -> list[Answer]:
        """Decode windows of one length, all after the same prompt."""
        before = self._tokenizer.encode(" " + prompt.strip()) if prompt else []
        tokens = self._model.get_prompt(self._tokenizer, before)
        stacked = np.ascontiguousarray(np.stack(rows), dtype=np.float32)
        results = self._model.model.generate(
            ctranslate2.StorageView.from_array(stacked),
            [tokens] * len(rows),
            beam_size=beam,
            return_scores=True,
            return_no_speech_prob=True,
            max_initial_timestamp_index=50,
        )
        return [
            Answer(
                self._tokenizer.decode(result.sequences_ids[0]).strip(),
                list(result.sequences_ids[0]),
                result.scores[0],
                result.no_speech_prob,
            )
            for result in results
        ]
