from pathlib import Path

import numpy as np
import pytest
from bench.random_whisper import SHAPES, special_tokens, text_tokens, write_random_model
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_model(tmp_path_factory.mktemp("random-whisper"), "nano")


@pytest.fixture(scope="module")
def whisper(folder: Path) -> WhisperModel:
    return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1)


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 0.1, round(seconds * 16_000)).astype(np.float32)


def test_the_model_is_multilingual_and_finds_a_language(whisper: WhisperModel) -> None:
    language, probability, ranked = whisper.detect_language(noise(3))
    assert whisper.model.is_multilingual
    assert language in whisper.supported_languages
    assert 0 < probability <= 1
    assert len(ranked) == 99


def test_special_tokens_are_where_whisper_has_them(whisper: WhisperModel) -> None:
    tokenizer = Tokenizer(whisper.hf_tokenizer, True, task="translate", language="de")
    assert tokenizer.eot == 50_257
    assert tokenizer.sot == 50_258
    assert tokenizer.translate == 50_358
    assert tokenizer.transcribe == 50_359
    assert tokenizer.sot_lm == 50_360
    assert tokenizer.sot_prev == 50_361
    assert tokenizer.no_speech == 50_362
    assert tokenizer.no_timestamps == 50_363
    assert tokenizer.timestamp_begin == 50_364


def test_the_vocabularies_have_whispers_sizes() -> None:
    texts, merges = text_tokens()
    assert (len(texts), len(set(texts)), texts[-1]) == (50_257, 50_257, "")
    assert len(merges) == 50_000
    assert len(texts) + len(special_tokens(99)) + 1_501 == 51_865
    assert len(texts) + len(special_tokens(SHAPES["large-v3"].languages)) + 1_501 == 51_866


def test_a_decode_ends_after_as_many_tokens_as_real_speech_has(whisper: WhisperModel) -> None:
    found, _ = whisper.transcribe(noise(3), language="en", word_timestamps=True)
    segment = next(iter(found))
    assert segment.temperature == 0.0
    assert 20 <= len(segment.text.split()) <= 28
    assert segment.avg_logprob > -0.5
    assert segment.compression_ratio < 2.4
    assert segment.words


def test_text_comes_back_from_its_tokens(whisper: WhisperModel) -> None:
    tokenizer = Tokenizer(whisper.hf_tokenizer, True, task="transcribe", language="en")
    assert tokenizer.decode(tokenizer.encode(" Grüße, hello 世界!")) == " Grüße, hello 世界!"


def test_the_same_seed_gives_the_same_weights(folder: Path, tmp_path: Path) -> None:
    again = write_random_model(tmp_path / "same", "nano", seed=1)
    other = write_random_model(tmp_path / "other", "nano", seed=2)
    weights = (folder / "model.bin").read_bytes()
    assert (again / "model.bin").read_bytes() == weights
    assert (other / "model.bin").read_bytes() != weights


def test_the_third_version_has_more_mels_and_one_more_language(tmp_path: Path) -> None:
    folder = write_random_model(tmp_path, "nano-v3")
    whisper = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1)
    tokenizer = Tokenizer(whisper.hf_tokenizer, True, task="transcribe", language="yue")
    assert whisper.model.n_mels == 128
    assert whisper.feature_extractor(noise(1)).shape[0] == 128
    assert len(whisper.detect_language(noise(1))[2]) == 100
    assert tokenizer.language == 50_358
    assert tokenizer.no_timestamps == 50_364
