"""Whisper with a genuine small model."""

import csv
from collections.abc import AsyncIterator
from types import SimpleNamespace

import numpy as np
import pytest
import pytest_asyncio
from tests.unit.transcriber.sound import SHARED, loud, wav, word_errors

from steno_common.messages import Word
from steno_transcriber.domain.hypothesis import Options, Window
from steno_transcriber.domain.samples import Samples
from steno_transcriber.engines.base import EngineError, EngineUnavailable
from steno_transcriber.engines.model_folder import find_model
from steno_transcriber.engines.whisper import WhisperEngine, open_engine
from steno_transcriber.engines.whisper_decoding import WhisperDecoder
from steno_transcriber.engines.whisper_words import aligned_words, estimated_words
from steno_transcriber.settings import RecognitionSettings

FIXTURE = SHARED / "tiny-whisper"
EXACT = ("h00", "h01", "h02", "h03", "h04", "h05", "h07", "h08", "h10", "h12")
"""Clips that the model reads without a fault, punctuation included, however it searches."""

needs_model = pytest.mark.skipif(not FIXTURE.exists(), reason=f"no Whisper model at {FIXTURE}")


def clip(name: str) -> Samples:
    return wav(FIXTURE / "heldout" / f"{name}.wav")


def transcripts() -> dict[str, str]:
    with (FIXTURE / "heldout" / "transcripts.tsv").open() as file:
        rows = csv.DictReader(file, delimiter="\t")
        return {row["file"].removesuffix(".wav"): row["text"] for row in rows}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def engine() -> AsyncIterator[WhisperEngine]:
    settings = RecognitionSettings(
        engine="whisper", whisper_model=str(FIXTURE / "model"), device="cpu", cpu_threads=1
    )
    engine = await open_engine(settings)
    yield engine
    await engine.aclose()


@needs_model
@pytest.mark.asyncio(loop_scope="module")
async def test_clips_are_read_word_for_word(engine: WhisperEngine) -> None:
    heard = await engine.decode([Window(clip(name)) for name in EXACT])
    expected = transcripts()
    assert [each.text for each in heard] == [expected[name] for name in EXACT]
    for name, each in zip(EXACT, heard, strict=True):
        assert " ".join(word.text for word in each.words) == each.text
        assert 0.9 < each.confidence <= 1
        assert (each.language, each.trusted) == ("en", True)
        ends = [0, *(at for word in each.words for at in (word.start, word.end))]
        assert ends == sorted(ends)
        assert ends[-1] <= len(clip(name))


@needs_model
@pytest.mark.asyncio(loop_scope="module")
async def test_word_times_are_those_of_the_clip(engine: WhisperEngine) -> None:
    (heard,) = await engine.decode([Window(clip("h00"))])
    assert [word.text for word in heard.words] == ["Hot", "Peter", "today."]
    assert [word.end for word in heard.words] == pytest.approx([9_536, 15_520, 24_304], abs=2_400)
    assert heard.words[1].start == pytest.approx(9_536, abs=1_600)


@needs_model
@pytest.mark.asyncio(loop_scope="module")
async def test_a_window_is_read_alike_alone_and_among_others(engine: WhisperEngine) -> None:
    windows = [
        Window(clip("h13"), prompt="Set the alarm for eight minutes."),
        Window(clip("h16")),
        Window(clip("h06"), final=False),
        Window(loud(48_000)),
        Window(clip("h15"), options=Options(language="en")),
    ]
    together = await engine.decode(windows)
    assert together == [(await engine.decode([window]))[0] for window in windows]
    assert together == (await engine.decode(windows[::-1]))[::-1]
    assert word_errors(transcripts()["h16"], together[1].text) == 0


@needs_model
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "audio",
    [np.zeros(16_000, np.int16), np.zeros(100, np.int16), loud(48_000), loud(4_000) // 8],
    ids=["silence", "nearly nothing", "noise", "short noise"],
)
async def test_no_words_are_invented(engine: WhisperEngine, audio: Samples) -> None:
    (heard,) = await engine.decode([Window(audio)])
    assert (heard.text, heard.words) == ("", ())


@needs_model
@pytest.mark.asyncio(loop_scope="module")
async def test_a_prompt_longer_than_the_model_takes_is_cut(engine: WhisperEngine) -> None:
    (heard,) = await engine.decode([Window(clip("h00"), prompt="We want the dog. " * 300)])
    assert heard.text.endswith("Peter today.")


@needs_model
@pytest.mark.asyncio(loop_scope="module")
async def test_what_the_model_refuses_is_an_error_of_the_engine(engine: WhisperEngine) -> None:
    with pytest.raises(EngineError) as caught:
        await engine.decode([Window(np.zeros((2, 400, 3), np.int16))])
    assert (caught.value.code, caught.value.retryable) == ("engine_failed", True)


@needs_model
async def test_a_folder_without_a_model_is_said() -> None:
    settings = RecognitionSettings(engine="whisper", whisper_model=str(FIXTURE / "heldout"))
    with pytest.raises(EngineUnavailable, match="heldout"):
        await open_engine(settings)


async def test_a_name_that_is_no_model_is_said() -> None:
    with pytest.raises(EngineUnavailable, match="Invalid model size 'tinier'"):
        await find_model("tinier", 30)


async def test_a_model_that_cannot_be_fetched_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(EngineUnavailable, match=r"LocalEntryNotFoundError|OfflineModeIsEnabled"):
        await find_model("steno/no-such-model", 30)


async def test_fetching_ends_with_its_bound() -> None:
    with pytest.raises(EngineUnavailable, match=r"not fetched within 0\.01 s"):
        await find_model("steno/no-such-model", 0.01)


def piece(word: str, start: float, end: float, probability: float = 0.5) -> dict[str, object]:
    return {"word": word, "start": start, "end": end, "probability": probability}


def test_punctuation_belongs_to_the_word_before() -> None:
    alignment = [piece(" So", 0.0, 0.5), piece(",", 0.5, 0.6), piece(" we", 0.6, 1.0, 1.0000001)]
    assert aligned_words([*alignment, piece("  ", 1.0, 1.1), piece("?!", 1.1, 1.2)]) == (
        Word("So,", 0, 8_000, 0.5),
        Word("we?!", 9_600, 16_000, 1.0),
    )
    assert aligned_words([]) == ()


def test_words_of_a_partial_are_spread_over_the_window() -> None:
    assert estimated_words("so we see", 1_000, 0.5) == (
        Word("so", 0, 300, 0.5),
        Word("we", 300, 600, 0.5),
        Word("see", 600, 1_000, 0.5),
    )
    assert estimated_words("", 1_000, 0.5) == ()


def test_only_unknown_languages_are_detected() -> None:
    asked = []

    def detect(encoded: object) -> list[list[tuple[str, float]]]:
        asked.append(np.array(encoded).shape[0])
        return [[("<|es|>", 0.9), ("<|en|>", 0.1)]] * asked[-1]

    decoder = object.__new__(WhisperDecoder)
    decoder._model = SimpleNamespace(
        model=SimpleNamespace(is_multilingual=True, detect_language=detect),
        supported_languages=["en", "de", "es"],
    )
    windows = [
        Window(loud(9), options=Options(language=each)) for each in ("de", None, "en-US", "xx")
    ]
    encoded = np.zeros((4, 3, 2), np.float32)
    assert decoder._languages(windows, encoded) == ["de", "es", "en", "es"]
    assert asked == [2]
