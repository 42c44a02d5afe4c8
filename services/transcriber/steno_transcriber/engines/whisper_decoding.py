"""Windows to hypotheses with a loaded Whisper model, all of it blocking."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.audio import pad_or_trim
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens
from numpy.typing import NDArray

from steno_common.messages import Word
from steno_transcriber.domain.guards import LADDER, Attempt, Choice, Search, settle
from steno_transcriber.domain.hypothesis import Hypothesis, Options, Window
from steno_transcriber.engines.whisper_words import aligned_words, estimated_words

_WIDE_BEAM: Final = 5
_LATEST_START: Final = 50
"""Text starts within the first second of a window, in steps of 20 ms."""


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """One window in the model's form."""

    window: Window
    encoded: NDArray[Any]
    """Encoder output, (1500, width)."""
    frames: int
    """Frames of audio, 10 ms each."""
    language: str


@dataclass(frozen=True, slots=True)
class _Tried:
    attempt: Attempt
    tokens: tuple[int, ...]
    """Text tokens, without times."""


class WhisperDecoder:
    """Decodes batches; each answer follows from its window alone.

    Rows that are decoded together must have the start token in one place, so they are grouped by
    the length of their prompt.
    """

    def __init__(self, model: WhisperModel, device: str, beam_size: int) -> None:
        self.device = device
        self._model = model
        self._beam_size = beam_size
        self._tokenizers: dict[str, Tokenizer] = {}
        self._suppressed = list(get_suppressed_tokens(self._tokenizer("en"), [-1]))

    def warm_up(self) -> None:
        """Decode silence, so that the first window finds everything allocated."""
        self.decode([Window(np.zeros(16_000, np.int16), options=Options(language="en"))])

    def decode(self, windows: Sequence[Window]) -> list[Hypothesis]:
        """Give one hypothesis a window, in order."""
        rows = self._encode(windows)
        tried: list[list[_Tried]] = [[] for _ in rows]
        settled: dict[int, Choice] = {}
        for number, search in enumerate(LADDER, 1):
            pending = [index for index in range(len(rows)) if index not in settled]
            if not pending:
                break
            for index, result in zip(pending, self._search(rows, pending, search), strict=True):
                tried[index].append(result)
                # A partial is soon replaced: it is not worth a second search.
                last = number == len(LADDER) or not rows[index].window.final
                choice = settle([each.attempt for each in tried[index]], last=last)
                if choice is not None:
                    settled[index] = choice
        chosen = {
            index: tried[index][choice.index]
            for index, choice in settled.items()
            if choice.index is not None
        }
        words = self._words(rows, chosen)
        return [
            _hypothesis(row, chosen.get(index), words.get(index, ()), settled[index].trusted)
            for index, row in enumerate(rows)
        ]

    def _tokenizer(self, language: str) -> Tokenizer:
        if language not in self._tokenizers:
            self._tokenizers[language] = Tokenizer(
                self._model.hf_tokenizer,
                self._model.model.is_multilingual,
                task="transcribe",
                language=language,
            )
        return self._tokenizers[language]

    def _encode(self, windows: Sequence[Window]) -> list[_Row]:
        extract = self._model.feature_extractor
        features = [extract(w.audio.astype(np.float32) / 32_768)[..., :-1] for w in windows]
        storage = _storage([pad_or_trim(feature) for feature in features])
        encoded = np.array(self._model.model.encode(storage, to_cpu=True))
        languages = self._languages(windows, encoded)
        return [
            _Row(window, row, max(1, feature.shape[-1]), language)
            for window, row, feature, language in zip(
                windows, encoded, features, languages, strict=True
            )
        ]

    def _languages(self, windows: Sequence[Window], encoded: NDArray[Any]) -> list[str]:
        if not self._model.model.is_multilingual:
            return ["en"] * len(windows)
        known = set(self._model.supported_languages)
        languages = [
            (window.options.language or "").partition("-")[0].lower() for window in windows
        ]
        unknown = [i for i, language in enumerate(languages) if language not in known]
        if unknown:
            found = self._model.model.detect_language(_storage([encoded[i] for i in unknown]))
            for i, ranked in zip(unknown, found, strict=True):
                languages[i] = ranked[0][0].strip("<|>")
        return languages

    def _search(self, rows: Sequence[_Row], wanted: Sequence[int], search: Search) -> list[_Tried]:
        groups: dict[tuple[int, int], list[int]] = defaultdict(list)
        prompts = {i: self._prompt(rows[i], prompted=search.prompted) for i in wanted}
        for i in wanted:
            groups[len(prompts[i]), self._beams(rows[i], search)].append(i)
        results: dict[int, _Tried] = {}
        for (_, beams), group in groups.items():
            answers = self._model.model.generate(
                _storage([rows[i].encoded for i in group]),
                [prompts[i] for i in group],
                beam_size=beams,
                no_repeat_ngram_size=search.forbid_repeats,
                return_scores=True,
                return_no_speech_prob=True,
                suppress_tokens=self._suppressed,
                max_initial_timestamp_index=_LATEST_START,
                max_length=self._model.max_length,
            )
            for i, answer in zip(group, answers, strict=True):
                results[i] = self._tried(rows[i], answer)
        return [results[i] for i in wanted]

    def _beams(self, row: _Row, search: Search) -> int:
        if not row.window.final:
            return 1
        return max(_WIDE_BEAM, self._beam_size) if search.wide else self._beam_size

    def _prompt(self, row: _Row, *, prompted: bool) -> list[int]:
        tokenizer = self._tokenizer(row.language)
        prompt = row.window.prompt.strip() if prompted else ""
        return list(
            self._model.get_prompt(tokenizer, tokenizer.encode(f" {prompt}") if prompt else [])
        )

    def _tried(self, row: _Row, answer: Any) -> _Tried:
        tokenizer = self._tokenizer(row.language)
        tokens = answer.sequences_ids[0]
        attempt = Attempt(
            text=tokenizer.decode(tokens).strip(),
            # The score is the mean over the tokens; the end token counts too.
            log_probability=answer.scores[0] * len(tokens) / (len(tokens) + 1),
            no_speech=answer.no_speech_prob,
            samples=len(row.window.audio),
        )
        return _Tried(attempt, tuple(token for token in tokens if token < tokenizer.eot))

    def _words(
        self, rows: Sequence[_Row], chosen: dict[int, _Tried]
    ) -> dict[int, tuple[Word, ...]]:
        """Give the words with times, by attention for finals, by length for partials."""
        words: dict[int, tuple[Word, ...]] = {}
        finals: dict[str, list[int]] = defaultdict(list)
        for i, tried in chosen.items():
            if rows[i].window.final:
                finals[rows[i].language].append(i)
            else:
                text, log_probability = tried.attempt.text, tried.attempt.log_probability
                confidence = round(math.exp(min(0.0, log_probability)), 3)
                words[i] = estimated_words(text, len(rows[i].window.audio), confidence)
        for language, group in finals.items():
            alignments = self._model.find_alignment(
                self._tokenizer(language),
                [list(chosen[i].tokens) for i in group],
                _storage([rows[i].encoded for i in group]),
                [rows[i].frames for i in group],
            )
            for i, alignment in zip(group, alignments, strict=True):
                words[i] = aligned_words(alignment)
        return words


def _hypothesis(
    row: _Row, tried: _Tried | None, words: tuple[Word, ...], trusted: bool
) -> Hypothesis:
    if tried is None or not words:
        return Hypothesis(language=row.language, trusted=trusted)
    return Hypothesis(
        text=tried.attempt.text,
        words=words,
        language=row.language,
        confidence=round(sum(word.confidence for word in words) / len(words), 3),
        trusted=trusted,
    )


def _storage(rows: Sequence[NDArray[Any]]) -> ctranslate2.StorageView:
    return ctranslate2.StorageView.from_array(np.ascontiguousarray(np.stack(rows)))
