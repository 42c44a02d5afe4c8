"""Windows to hypotheses with a loaded Whisper model, all of it blocking."""

import math
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from steno_common.messages import Word
from steno_common.units import SAMPLE_RATE
from steno_transcriber.domain.fitting import HOP, Fit, token_limit
from steno_transcriber.domain.guards import LADDER, Attempt, Search
from steno_transcriber.domain.hypothesis import Again, Hypothesis, Window
from steno_transcriber.engines.log_mel import LogMel, MelCache
from steno_transcriber.engines.whisper_answers import Row, judged
from steno_transcriber.engines.whisper_prompt import ENGLISH, Prompts
from steno_transcriber.engines.whisper_words import aligned_words, estimated_words

_WIDE_BEAM: Final = 5
_LATEST_START: Final = 50
"""Text starts within the first second of a window, in steps of 20 ms."""


@dataclass(frozen=True, slots=True)
class Group:
    """What windows have in common that are decoded as one batch."""

    frames: int
    """Padded length, 10 ms each."""
    before: int
    """Tokens of prompt."""
    search: Search
    beams: int


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """What the model made of one window."""

    attempt: Attempt
    tokens: tuple[int, ...]
    """Text tokens, without times."""


@dataclass(frozen=True, slots=True)
class Choices:
    """How a model is used."""

    fit: Fit
    beam_size: int
    """Beams of a final; a partial takes one."""
    max_tokens: int
    """Tokens of text in one window."""


class WhisperDecoder:
    """Decodes batches; each answer follows from its window alone."""

    def __init__(self, model: WhisperModel, choices: Choices) -> None:
        self._model = model
        self._choices = choices
        self.prompts = Prompts(model)
        self._features = MelCache(LogMel.of(model.feature_extractor))

    def group(self, window: Window) -> Group:
        """Say with which windows this one can be decoded."""
        search = LADDER[len(window.tried)]
        beams = 1
        if window.final:
            beams = self._choices.beam_size
            beams = max(_WIDE_BEAM, beams) if search.wide else beams
        frames = self._choices.fit.frames(len(window.audio), full=search.full)
        before = self.prompts.before(window, prompted=search.prompted)
        return Group(frames, len(before), search, beams)

    def decode(self, windows: Sequence[Window]) -> list[Hypothesis | Again]:
        """Give one answer a window, in order."""
        groups: dict[Group, list[int]] = defaultdict(list)
        for index, window in enumerate(windows):
            groups[self.group(window)].append(index)
        answers: dict[int, Hypothesis | Again] = {}
        for group, members in groups.items():
            batch = self._decode_group(group, [windows[index] for index in members])
            answers.update(zip(members, batch, strict=True))
        return [answers[index] for index in range(len(windows))]

    def rehearse(self, batch: int) -> None:
        """Do the work of a batch of ordinary partials: 4 s of noise, 20 tokens each."""
        frames = self._choices.fit.frames(4 * SAMPLE_RATE)
        noise = np.random.default_rng(0).normal(
            size=(batch, len(self._model.feature_extractor.mel_filters), frames)
        )
        prompt = self.prompts.start((), ENGLISH, None)
        self._model.model.generate(
            _storage(list(noise.astype(np.float32))),
            [prompt] * batch,
            beam_size=1,
            suppress_tokens=[*self.prompts.suppressed, self.prompts.end],
            max_length=len(prompt) + min(20, self._choices.max_tokens),
        )

    def _decode_group(self, group: Group, windows: Sequence[Window]) -> list[Hypothesis | Again]:
        encoded = self._model.model.encode(
            _storage([self._features.features(w.audio, w.origin, group.frames) for w in windows]),
            # Alignment picks rows out of it.
            to_cpu=any(window.final for window in windows),
        )
        rows = self._rows(group, windows, encoded)
        read = self._search(group, rows, encoded)
        words = self._words(rows, read, encoded)
        return [
            judged(row, each.attempt, found)
            for row, each, found in zip(rows, read, words, strict=True)
        ]

    def _rows(self, group: Group, windows: Sequence[Window], encoded: Any) -> list[Row]:
        known = [self.prompts.known(window.options.language) for window in windows]
        found = self._model.model.detect_language(encoded) if None in known else []
        rows = []
        for index, window in enumerate(windows):
            token, probability = found[index][0] if found else ("", 0.0)
            told = known[index]
            language = told or token.strip("<|>")
            before = self.prompts.before(window, prompted=group.search.prompted)
            rows.append(Row(window, before, language, 1.0 if told else probability))
        return rows

    def _search(self, group: Group, rows: Sequence[Row], encoded: Any) -> list[_Read]:
        start = self.prompts.start
        prompts = [start(r.before, r.language, r.window.options.task) for r in rows]
        most = token_limit(group.frames, self._choices.max_tokens)
        answers = self._model.model.generate(
            encoded,
            prompts,
            beam_size=group.beams,
            no_repeat_ngram_size=group.search.forbid_repeats,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=list(self.prompts.suppressed),
            max_initial_timestamp_index=_LATEST_START,
            max_length=min(self._model.max_length, len(prompts[0]) + most),
        )
        return [self._read(row, answer) for row, answer in zip(rows, answers, strict=True)]

    def _read(self, row: Row, answer: Any) -> _Read:
        tokens = tuple(t for t in answer.sequences_ids[0] if t < self.prompts.end)
        length = len(answer.sequences_ids[0])
        attempt = Attempt(
            text=self._model.hf_tokenizer.decode(tokens).strip(),
            # The score is the mean over the tokens; the end token counts too.
            log_probability=answer.scores[0] * length / (length + 1),
            no_speech=answer.no_speech_prob,
            samples=len(row.window.audio),
        )
        return _Read(attempt, tokens)

    def _words(
        self, rows: Sequence[Row], read: Sequence[_Read], encoded: Any
    ) -> list[tuple[Word, ...]]:
        """Give the words with times, by attention for finals, by length for partials."""
        words: list[tuple[Word, ...]] = [()] * len(rows)
        alike: dict[Hashable, list[int]] = defaultdict(list)
        for i, (row, each) in enumerate(zip(rows, read, strict=True)):
            if not each.tokens:
                continue
            if row.window.final:
                # Texts of one length: the probabilities of the shorter one would depend, in the
                # last bits, on how much longer the other is.
                alike[row.language, row.window.options.task, len(each.tokens)].append(i)
            else:
                confidence = round(math.exp(min(0.0, each.attempt.log_probability)), 3)
                words[i] = estimated_words(each.attempt.text, each.attempt.samples, confidence)
        rows_encoded = np.array(encoded) if alike else None
        for members in alike.values():
            assert rows_encoded is not None
            row = rows[members[0]]
            alignments = self._model.find_alignment(
                self.prompts.tokenizer(row.language, row.window.options.task or "transcribe"),
                [list(read[i].tokens) for i in members],
                _storage([rows_encoded[i] for i in members]),
                [max(1, len(rows[i].window.audio) // HOP) for i in members],
            )
            for i, alignment in zip(members, alignments, strict=True):
                words[i] = aligned_words(alignment)
        return words


def _storage(rows: Sequence[NDArray[Any]]) -> ctranslate2.StorageView:
    return ctranslate2.StorageView.from_array(np.ascontiguousarray(np.stack(rows)))
