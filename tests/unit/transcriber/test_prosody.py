"""R3, emotion dynamics of a segment: volume by RMS, rate by onsets, energy by the spectrum."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.transcriber.sound import loud, quiet, sound
from tests.unit.transcriber.waves import bursts, clicks, clipped, decibels, noise, tone, waves

from steno_audio import decode_file
from steno_common.messages import Prosody
from steno_transcriber.domain.prosody import NEUTRAL, measure
from steno_transcriber.domain.samples import Samples, from_bytes

HELLO = Path(__file__).parents[3] / "samples" / "hello.wav"


@given(st.integers(0, 40_000), st.integers(0, 15), st.integers(0, 99))
def test_values_stay_in_their_ranges(samples: int, shift: int, seed: int) -> None:
    prosody = measure(loud(samples, seed) >> shift)
    assert 0 <= prosody.volume <= 1
    assert 0.5 <= prosody.rate <= 2
    assert 0 <= prosody.energy <= 1


@pytest.mark.parametrize(
    "audio",
    [np.empty(0, np.int16), loud(2_000), np.zeros(9_000, np.int16), np.full(9_000, 700, np.int16)],
    ids=["nothing", "too short", "silence", "a constant"],
)
def test_what_says_nothing_is_neutral(audio: Samples) -> None:
    assert measure(audio) == NEUTRAL == Prosody(0.5, 1.0, 0.5)


def test_volume_follows_decibels() -> None:
    assert measure(tone(440, 32_767)).volume == 0.95
    assert measure(tone(440, 3_276.7)).volume == pytest.approx(0.95 - 20 / 60, abs=0.002)


@pytest.mark.parametrize("amplitude", [100, 1_000, 9_000, 32_000])
def test_the_volume_of_a_sine_is_that_of_its_rms(amplitude: int) -> None:
    expected = max(0.0, 1 + decibels(amplitude / 2**0.5) / 60)
    assert measure(tone(440, amplitude)).volume == pytest.approx(expected, abs=0.002)


def test_the_volume_of_noise_is_that_of_its_deviation() -> None:
    assert measure(noise(3_000)).volume == pytest.approx(1 + decibels(3_000) / 60, abs=0.002)


def test_energy_follows_the_centre_of_the_spectrum() -> None:
    assert measure(tone(1_000, 9_000)).energy == pytest.approx(0.25, abs=0.01)
    assert measure(tone(3_000, 9_000)).energy == pytest.approx(0.75, abs=0.01)


def test_the_centre_of_two_tones_lies_between_them_by_their_powers() -> None:
    both = tone(1_000, 8_000) + tone(3_000, 4_000)
    assert measure(both).energy == pytest.approx((4 * 1_000 + 3_000) / 5 / 4_000, abs=0.003)


def test_white_noise_has_its_centre_at_4_khz() -> None:
    assert measure(noise(3_000)).energy == pytest.approx(1.0, abs=0.01)


def test_what_is_clipped_to_a_square_is_as_bright_as_its_harmonics() -> None:
    # A square of period 32 with a zero at each edge has harmonics of amplitude cot(pi k / 32).
    harmonics = np.arange(1, 16, 2)
    powers = 1 / np.tan(np.pi * harmonics / 32) ** 2
    centre = float((500 * harmonics * powers).sum() / powers.sum())
    assert measure(clipped(500)).energy == pytest.approx(centre / 4_000, abs=0.003)
    assert measure(clipped(500)).volume == pytest.approx(1.0, abs=0.01)


def test_a_constant_offset_changes_nothing() -> None:
    plain, shifted = measure(tone(440, 9_000)), measure(tone(440, 9_000) + np.int16(8_000))
    assert shifted == plain == Prosody(pytest.approx(0.763, abs=0.001), 0.5, 0.11)


@pytest.mark.parametrize("a_second", [3, 4, 5, 6, 8])
def test_the_rate_of_a_train_of_clicks_is_theirs(a_second: int) -> None:
    rate = measure(clicks(a_second, seconds=8)).rate
    assert rate == pytest.approx(min(2.0, a_second / 4), abs=0.05)


def test_rate_is_bounded_where_there_are_hardly_any_onsets_or_very_many() -> None:
    assert measure(clicks(1, seconds=8)).rate == 0.5
    assert measure(clicks(12, seconds=8)).rate == 2.0
    assert measure(tone(440, 9_000)).rate == 0.5


SOUNDS = pytest.mark.parametrize("of", [tone(800, 9_000, 8), noise(3_000, 8)],
                                 ids=["tone", "noise"])  # fmt: skip


@SOUNDS
@pytest.mark.parametrize("sounding", [0.2, 0.5, 0.7])
@pytest.mark.parametrize("a_second", [2, 3, 4, 6, 8])
def test_the_rate_of_bursts_is_theirs_however_they_begin_and_end(
    a_second: int, sounding: float, of: Samples
) -> None:
    # One burst more or less in 8 s is a 32nd.
    assert measure(bursts(of, a_second, sounding)).rate == pytest.approx(a_second / 4, abs=0.04)


@SOUNDS
@pytest.mark.parametrize("a_second", [2, 4, 6])
def test_the_rate_of_what_swells_and_fades_is_that_of_its_swells(
    a_second: int, of: Samples
) -> None:
    assert measure(waves(of, a_second)).rate == pytest.approx(a_second / 4, abs=0.04)


def test_rate_counts_onsets_above_a_noise_that_never_stops() -> None:
    def heard(a_second: int) -> float:
        length = 16_000 // a_second
        return measure(
            sound(*[sound(quiet(length // 2), loud(length - length // 2))] * (3 * a_second))
        ).rate

    assert heard(4) == pytest.approx(1.0, abs=0.15)
    assert heard(8) > 1.5
    assert heard(1) == 0.5


@SOUNDS
def test_what_goes_on_without_a_change_has_no_onsets(of: Samples) -> None:
    assert measure(of).rate == 0.5


@pytest.mark.parametrize("gain", [0.1, 0.3, 1.0])
def test_the_rate_of_speech_is_about_its_syllables_however_loud_it_is(gain: float) -> None:
    # "You will be able to read what I am saying": 11 syllables, from 0.4 s to 2.65 s.
    audio = from_bytes(b"".join(decode_file(HELLO)))[6_400:42_400]
    quieter = (audio * gain).astype(np.int16)
    assert measure(quieter).rate == pytest.approx(11 / 2.25 / 4, rel=0.25)
