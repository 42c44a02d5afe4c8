"""Speech probability."""

import numpy as np
import pytest
from faster_whisper.vad import get_vad_model
from tests.unit.transcriber.sound import SHARED, loud, quiet

from steno_audio import decode_file
from steno_transcriber.domain.samples import Samples, blocks, from_bytes
from steno_transcriber.domain.scan import BLOCK, FRAME, SpeechProbability
from steno_transcriber.speech import SileroModel, loudness, start_loudness

RECORDING = SHARED / "audio" / "librivox-0880.wav"


@pytest.fixture(scope="module")
def model() -> SileroModel:
    return SileroModel()


def judged(detector: SpeechProbability, samples: Samples) -> list[float]:
    whole = samples[: len(samples) // BLOCK * BLOCK]
    return [each for block in blocks(whole, BLOCK) for each in detector(block)]


def test_silence_and_noise_are_no_speech(model: SileroModel) -> None:
    for samples in (np.zeros(32_000, np.int16), quiet(32_000), loud(32_000) // 8):
        assert max(judged(model.start(), samples)) < 0.5


@pytest.mark.skipif(not RECORDING.exists(), reason=f"no recording of speech at {RECORDING}")
def test_a_detector_remembers_its_own_session_only(model: SileroModel) -> None:
    speech = from_bytes(b"".join(decode_file(RECORDING)))
    alone = judged(model.start(), speech)
    one, other = model.start(), model.start()
    mixed = []
    for block in blocks(speech[: len(alone) * FRAME], BLOCK):
        mixed += one(block)
        other(loud(BLOCK))
    assert mixed == alone
    assert max(alone) > 0.95
    assert min(alone) < 0.1


@pytest.mark.skipif(not RECORDING.exists(), reason=f"no recording of speech at {RECORDING}")
def test_frame_by_frame_says_what_the_model_says_of_the_whole_file(model: SileroModel) -> None:
    speech = from_bytes(b"".join(decode_file(RECORDING)))
    ours = judged(model.start(), speech)
    wave = speech[: len(ours) * FRAME].astype(np.float32) / 32_768
    theirs = get_vad_model()(wave.copy())
    assert ours == pytest.approx(theirs.ravel().tolist(), abs=5e-3)


def test_loudness_takes_what_is_loud_for_speech() -> None:
    block = np.concatenate((loud(FRAME), quiet(2 * FRAME), loud(FRAME)))
    assert loudness(block) == [1.0, 0.0, 0.0, 1.0]
    assert start_loudness() is loudness
