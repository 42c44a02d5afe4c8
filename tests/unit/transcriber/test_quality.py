"""R2, audio quality 0 to 1: on signals whose clipping, level and noise are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.transcriber.sound import loud, quiet, sound
from tests.unit.transcriber.waves import clipped, noise, tone

from steno_transcriber.domain.quality import QualityMeter
from steno_transcriber.domain.samples import Samples


def heard(audio: Samples, position: int = 0) -> float | None:
    meter = QualityMeter(position)
    meter.feed(audio)
    return meter.latest()


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * 16_000), np.int16)


@given(
    st.integers(0, 100_000),
    st.lists(st.tuples(st.integers(0, 30_000), st.integers(0, 15)), max_size=12),
    st.integers(0, 99),
)
def test_the_quality_hangs_on_the_samples_alone_and_is_0_to_1(
    position: int, pieces: list[tuple[int, int]], seed: int
) -> None:
    audio = [loud(length, seed + n) >> shift for n, (length, shift) in enumerate(pieces)]
    meter = QualityMeter(position)
    for piece in audio:
        meter.feed(piece)
    assert meter.latest() == heard(sound(*audio), position)
    assert meter.latest() is None or 0 <= (meter.latest() or 0) <= 1


def test_clear_speech_between_silences_has_all_of_it() -> None:
    assert heard(sound(silence(2), tone(300, 9_000, 2), silence(2))) == 1.0


def test_of_less_than_a_second_nothing_is_said() -> None:
    assert heard(tone(300, 9_000, 1.0)) is None


@pytest.mark.parametrize("decibels", [3, 10, 20, 25])
def test_noise_below_speech_takes_what_is_missing_to_30_db(decibels: float) -> None:
    amplitude = 8_000
    deviation = amplitude / 2**0.5 / 10 ** (decibels / 20)
    audio = noise(deviation, 8.0)
    audio[64_000:] += tone(300, amplitude, 4.0)
    assert heard(audio) == pytest.approx(decibels / 30, abs=0.04)


@pytest.mark.parametrize(("level", "expected"), [(-50, 0.0), (-45, 0.25), (-40, 0.5), (-32, 0.9)])
def test_faint_speech_takes_what_is_missing_to_30_dbfs(level: int, expected: float) -> None:
    amplitude = 32_768 * 10 ** (level / 20) * 2**0.5
    assert heard(sound(silence(2), tone(300, amplitude, 2))) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(("every", "expected"), [(128, 0.844), (64, 0.688), (32, 0.375), (16, 0.0)])
def test_clipped_samples_take_a_twentieth_of_the_samples_for_all(
    every: int, expected: float
) -> None:
    audio = tone(300, 12_000, 4)
    audio[::every] = 32_767
    assert heard(sound(silence(2.048), audio)) == pytest.approx(expected, abs=0.001)


def test_a_recording_far_too_loud_is_worth_nothing() -> None:
    assert heard(sound(silence(2), clipped(500))) == 0.0


def test_noise_alone_is_worth_nothing() -> None:
    assert heard(noise(3_000, 10.0)) == pytest.approx(0.0, abs=0.02)


def test_what_was_heard_ten_seconds_ago_is_forgotten() -> None:
    bad = sound(quiet(16_000), clipped(500, 2))
    assert heard(sound(bad, silence(8), tone(300, 9_000, 2))) == 1.0


def test_a_constant_offset_is_no_level() -> None:
    assert heard(np.full(48_000, 8_000, np.int16)) == 0.0
