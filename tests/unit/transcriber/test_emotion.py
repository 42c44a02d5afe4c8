"""R3, emotion dynamics per chunk: the newest values, whatever the cuts, at a bounded cost."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.transcriber.sound import SHARED, loud, quiet, sound
from tests.unit.transcriber.waves import clicks, clipped, decibels, noise, tone

from steno_audio import decode_file
from steno_common.messages import Prosody
from steno_transcriber.domain.emotion import EmotionMeter
from steno_transcriber.domain.prosody import measure
from steno_transcriber.domain.samples import Samples, from_bytes

RECORDINGS = sorted((SHARED / "audio").glob("*.wav"))
TWO_SECONDS = 125 * 256 + 512


def newest(audio: Samples, position: int = 0) -> Prosody | None:
    meter = EmotionMeter(position)
    meter.feed(audio)
    return meter.latest()


@given(
    st.integers(0, 100_000),
    st.lists(st.tuples(st.integers(0, 9_000), st.booleans()), max_size=12),
    st.integers(0, 99),
)
def test_values_hang_neither_on_the_cuts_nor_on_how_often_they_are_asked_for(
    position: int, cuts: list[tuple[int, bool]], seed: int
) -> None:
    pieces = [loud(length, seed + n) >> n % 9 for n, (length, _) in enumerate(cuts)]
    meter = EmotionMeter(position)
    for piece, (_, asked) in zip(pieces, cuts, strict=True):
        meter.feed(piece)
        if asked:
            meter.latest()
    assert meter.latest() == newest(sound(*pieces), position)


@given(st.integers(0, 99), st.integers(0, 40_000))
def test_only_the_last_two_seconds_count(seed: int, before: int) -> None:
    last = sound(quiet(9_000, seed), loud(TWO_SECONDS - 9_000 + 256, seed))
    assert newest(sound(loud(before - before % 256), last)) == newest(last)


@given(st.integers(0, 99), st.integers(0, 40_000))
def test_a_meter_that_begins_in_the_middle_soon_says_the_same(seed: int, begin: int) -> None:
    before = sound(loud(begin, seed), clicks(8, 2.0))
    whole = sound(before, clicks(4, 2.2), loud(3_000, seed))
    asked_often = EmotionMeter()
    for start in range(0, len(whole), 1_600):
        asked_often.feed(whole[start : start + 1_600])
        asked_often.latest()
    assert newest(whole[len(before) :], len(before)) == asked_often.latest()


@given(st.integers(0, 40_000), st.integers(0, 15), st.integers(0, 99))
def test_values_stay_in_their_ranges(samples: int, shift: int, seed: int) -> None:
    prosody = newest(loud(samples, seed) >> shift)
    if prosody is not None:
        assert 0 <= prosody.volume <= 1
        assert 0.5 <= prosody.rate <= 2
        assert 0 <= prosody.energy <= 1


def test_of_too_little_nothing_is_said() -> None:
    meter = EmotionMeter()
    assert meter.latest() is None
    meter.feed(loud(2_047))
    assert meter.latest() is None
    meter.feed(loud(1))
    assert meter.latest() is not None


@pytest.mark.parametrize(
    "audio",
    [np.zeros(48_000, np.int16), np.full(48_000, 8_000, np.int16), noise(0.5)],
    ids=["silence", "a constant", "a bit that wavers"],
)
def test_silence_is_heard_as_silence(audio: Samples) -> None:
    assert newest(audio) == Prosody(0.0, 0.5, 0.0)


def test_volume_and_energy_are_of_the_newest_tenth_of_a_second() -> None:
    audio = sound(noise(9_000), tone(1_000, 5_000, 0.2))
    assert newest(audio) == Prosody(
        pytest.approx(1 + decibels(5_000 / 2**0.5) / 60, abs=0.002),
        0.5,
        pytest.approx(0.25, abs=0.003),
    )
    assert newest(sound(audio, np.zeros(3_200, np.int16))) == Prosody(0.0, 0.5, 0.0)


def test_a_constant_offset_changes_nothing() -> None:
    assert newest(tone(440, 9_000) + np.int16(8_000)) == newest(tone(440, 9_000))


def test_white_noise_is_loud_by_its_deviation_and_has_its_centre_at_4_khz() -> None:
    prosody = newest(noise(3_000))
    assert prosody is not None
    assert prosody.volume == pytest.approx(1 + decibels(3_000) / 60, abs=0.01)
    assert prosody.energy == pytest.approx(1.0, abs=0.03)
    assert prosody.rate == 0.5


def test_clipped_audio_is_as_loud_as_can_be() -> None:
    prosody = newest(clipped(500))
    assert prosody is not None
    assert prosody.volume > 0.98
    assert prosody == Prosody(prosody.volume, 0.5, pytest.approx(0.181, abs=0.003))


@pytest.mark.parametrize("a_second", [3, 4, 5, 6, 8])
def test_the_rate_of_a_train_of_clicks_is_theirs(a_second: int) -> None:
    prosody = newest(clicks(a_second, seconds=5))
    assert prosody is not None
    # One click more or less in 2 s is an eighth.
    assert prosody.rate == pytest.approx(min(2.0, a_second / 4), abs=0.15)


@pytest.mark.parametrize("path", RECORDINGS[:3], ids=lambda path: path.stem)
def test_speech_is_faster_and_brighter_than_its_pauses(path: Path) -> None:
    audio = from_bytes(b"".join(decode_file(path)))
    meter, found = EmotionMeter(), []
    for start in range(0, len(audio), 1_600):
        meter.feed(audio[start : start + 1_600])
        if (prosody := meter.latest()) is not None:
            found.append(prosody)
    whole = measure(audio)
    rate = sum(prosody.rate for prosody in found[20:]) / len(found[20:])
    assert rate == pytest.approx(whole.rate, rel=0.2)
    volumes = sorted(prosody.volume for prosody in found)
    assert volumes[0] < whole.volume < volumes[-1]
