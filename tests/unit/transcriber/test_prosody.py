"""Loudness, pace, brightness."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.transcriber.sound import loud, quiet, sound

from steno_common.messages import Prosody
from steno_transcriber.domain.prosody import NEUTRAL, measure
from steno_transcriber.domain.samples import Samples


def tone(hertz: float, amplitude: float, seconds: float = 1.0) -> Samples:
    times = np.arange(int(seconds * 16_000)) / 16_000
    return (amplitude * np.sin(2 * np.pi * hertz * times)).astype(np.int16)


@given(st.integers(0, 40_000), st.integers(0, 15), st.integers(0, 99))
def test_values_stay_in_their_ranges(samples: int, shift: int, seed: int) -> None:
    prosody = measure(loud(samples, seed) >> shift)
    assert 0 <= prosody.volume <= 1
    assert 0.5 <= prosody.rate <= 2
    assert 0 <= prosody.energy <= 1


@pytest.mark.parametrize("audio", [np.empty(0, np.int16), loud(2_000), np.zeros(9_000, np.int16)])
def test_what_says_nothing_is_neutral(audio: Samples) -> None:
    assert measure(audio) == NEUTRAL == Prosody(0.5, 1.0, 0.5)


def test_volume_follows_decibels() -> None:
    assert measure(tone(440, 32_767)).volume == 0.95
    assert measure(tone(440, 3_276.7)).volume == pytest.approx(0.95 - 20 / 60, abs=0.002)


def test_energy_follows_the_centre_of_the_spectrum() -> None:
    assert measure(tone(1_000, 9_000)).energy == pytest.approx(0.25, abs=0.01)
    assert measure(tone(3_000, 9_000)).energy == pytest.approx(0.75, abs=0.01)


def test_rate_counts_onsets() -> None:
    def bursts(a_second: int) -> Samples:
        length = 16_000 // a_second
        return sound(*[sound(quiet(length // 2), loud(length - length // 2))] * (3 * a_second))

    assert measure(bursts(4)).rate == pytest.approx(1.0, abs=0.15)
    assert measure(bursts(8)).rate > 1.5
    assert measure(bursts(1)).rate == 0.5


def test_thirty_seconds_take_little_time() -> None:
    audio = loud(480_000)
    measure(audio)
    started = time.process_time()
    measure(audio)
    assert time.process_time() - started < 0.5
