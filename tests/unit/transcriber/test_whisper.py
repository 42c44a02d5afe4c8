"""Whisper with a genuine small model."""

import asyncio
from itertools import pairwise
from statistics import mean

import numpy as np
import pytest
from tests.unit.transcriber.reading import read, read_one
from tests.unit.transcriber.sound import (
    EXACT,
    HELDOUT,
    clip,
    transcripts,
    word_errors,
    word_times,
)

from steno_transcriber.domain.hypothesis import Window
from steno_transcriber.engines.base import EngineError, EngineUnavailable
from steno_transcriber.engines.whisper import WhisperEngine, open_engine
from steno_transcriber.settings import RecognitionSettings

WINDOWS = [name for name in transcripts() if len(clip(name)) <= 480_000]


async def test_clear_clips_are_read_to_the_letter(whisper: WhisperEngine) -> None:
    heard = await read(whisper, [Window(clip(name)) for name in EXACT])
    assert [each.text for each in heard] == [transcripts()[name] for name in EXACT]
    for each in heard:
        assert 0.8 < each.confidence <= 1
        assert (each.language, each.language_probability, each.trusted) == ("en", 1.0, True)


async def test_of_all_clips_one_word_in_ten_is_wrong_at_most(whisper: WhisperEngine) -> None:
    heard = await read(whisper, [Window(clip(name)) for name in WINDOWS])
    errors = sum(
        word_errors(transcripts()[name], each.text)
        for name, each in zip(WINDOWS, heard, strict=True)
    )
    assert errors <= 0.1 * sum(len(transcripts()[name].split()) for name in WINDOWS)


async def test_words_tile_their_text_and_come_in_order(fit_whisper: WhisperEngine) -> None:
    for final in (True, False):
        windows = [Window(clip(name), final=final) for name in WINDOWS]
        for window, heard in zip(windows, await read(fit_whisper, windows), strict=True):
            assert " ".join(word.text for word in heard.words) == heard.text
            assert all(0 <= word.confidence <= 1 for word in heard.words)
            assert all(word.start <= word.end for word in heard.words)
            assert all(word.end <= after.start for word, after in pairwise(heard.words))
            assert heard.words[0].start >= 0
            assert heard.words[-1].end <= len(window.audio)


async def test_words_of_finals_stand_where_they_are_said(fit_whisper: WhisperEngine) -> None:
    heard = await read(fit_whisper, [Window(clip(name)) for name in EXACT])
    off = [
        abs(word.end - end)
        for name, each in zip(EXACT, heard, strict=True)
        for word, (_, _, end) in zip(each.words, word_times()[name], strict=True)
    ]
    assert mean(off) < 1_600
    assert max(off) < 6_400


async def test_a_prompt_longer_than_the_model_takes_is_cut(fit_whisper: WhisperEngine) -> None:
    name = EXACT[1]
    heard = await read_one(fit_whisper, Window(clip(name), prompt="We want the dog. " * 300))
    assert word_errors(transcripts()[name], heard.text) <= 1


async def test_what_the_model_refuses_is_an_error_of_the_engine(
    fit_whisper: WhisperEngine,
) -> None:
    with pytest.raises(EngineError) as caught:
        await fit_whisper.decode([Window(np.zeros((2, 400, 3), np.int16))])
    assert (caught.value.code, caught.value.retryable) == ("engine_failed", True)


async def test_batches_at_once_come_out_as_one_after_the_other(fit_whisper: WhisperEngine) -> None:
    windows = [Window(clip(name)) for name in EXACT]
    one_by_one = [await read_one(fit_whisper, window) for window in windows]
    at_once = await asyncio.gather(*(read_one(fit_whisper, window) for window in windows * 2))
    assert at_once == one_by_one * 2


def test_what_was_measured_bounds_the_batches(fit_whisper: WhisperEngine) -> None:
    assert 1 <= fit_whisper.max_partials <= fit_whisper.max_batch <= 2
    assert 0 < fit_whisper.window_seconds < 2


async def test_a_folder_without_a_model_is_said() -> None:
    settings = RecognitionSettings(engine="whisper", whisper_model=str(HELDOUT))
    with pytest.raises(EngineUnavailable, match="heldout"):
        await open_engine(settings)
