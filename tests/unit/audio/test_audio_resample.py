from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from steno_audio import StreamResampler
from steno_audio.polyphase import polyphase

RATES = [8_000, 11_025, 12_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 15_999]

rates = st.sampled_from([*RATES, 16_000])
signals = hnp.arrays(np.int16, st.integers(0, 3_000))


def resampled(rate: int, samples: NDArray[np.int16]) -> NDArray[np.int16]:
    resampler = StreamResampler(rate)
    return np.concatenate((resampler.feed(samples), resampler.flush()))


def sine(rate: int, frequency: float, amplitude: float = 10_000) -> NDArray[np.int16]:
    time = np.arange(rate) / rate
    return np.rint(amplitude * np.sin(2 * np.pi * frequency * time)).astype(np.int16)


def level(samples: NDArray[np.int16], frequency: int) -> float:
    """Amplitude of one frequency in the second half-second of 16 kHz audio."""
    part = samples[4_000:12_000] * np.hanning(8_000)
    return float(np.abs(np.fft.rfft(part))[frequency // 2] / 2_000)


@settings(deadline=None)
@given(rates, signals, st.data())
def test_neither_cuts_nor_restarts_change_the_output(
    rate: int, samples: NDArray[np.int16], data: st.DataObject
) -> None:
    resampler, output, position = StreamResampler(rate), [], 0
    while position < len(samples):
        size = data.draw(st.integers(1, len(samples)))
        output.append(resampler.feed(samples[position : position + size]))
        position += size
        if data.draw(st.booleans()):
            resampler = StreamResampler.restore(rate, resampler.export())
    output.append(resampler.flush())
    assert np.concatenate(output).tobytes() == resampled(rate, samples).tobytes()


@settings(deadline=None)
@given(rates, signals)
def test_the_output_has_the_length_of_the_input_rounded_up(
    rate: int, samples: NDArray[np.int16]
) -> None:
    assert len(resampled(rate, samples)) == ceil(len(samples) * 16_000 / rate)


@settings(deadline=None)
@given(signals)
def test_16_khz_comes_out_untouched_at_once(samples: NDArray[np.int16]) -> None:
    resampler = StreamResampler(16_000)
    assert resampler.feed(samples).tobytes() == samples.tobytes()
    assert resampler.flush().tobytes() == b""


@settings(deadline=None)
@given(rates, st.integers(-32768, 32767))
def test_a_steady_level_stays_exact(rate: int, value: int) -> None:
    middle = resampled(rate, np.full(rate // 4, value, np.int16))[1_000:3_000]
    assert set(middle.tolist()) == {value}


@settings(deadline=None, max_examples=20)
@given(st.sampled_from(RATES), hnp.arrays(np.int16, 600))
def test_the_output_is_the_exact_sum_of_input_times_taps(
    rate: int, samples: NDArray[np.int16]
) -> None:
    filter_ = polyphase(rate)
    padded = [0] * filter_.reach + samples.tolist() + [0] * 2 * filter_.reach
    expected = []
    for number in range(ceil(600 * 16_000 / rate)):
        whole, phase = divmod(number * filter_.step, filter_.phases)
        window = padded[whole + 1 : whole + 1 + 2 * filter_.reach]
        total = sum(a * b for a, b in zip(window, filter_.taps[phase].tolist(), strict=True))
        expected.append(max(-32768, min(32767, (total + (1 << 14)) >> 15)))
    assert resampled(rate, samples).tolist() == expected


@pytest.mark.parametrize("rate", [44_100, 48_000, 32_000, 24_000, 22_050, 96_000])
def test_what_16_khz_can_hold_passes_flat(rate: int) -> None:
    for frequency in (100, 1_000, 3_000, 5_000, 6_500, 7_000):
        decibels = 20 * np.log10(level(resampled(rate, sine(rate, frequency)), frequency) / 10_000)
        assert abs(decibels) < 0.1, (frequency, decibels)


@pytest.mark.parametrize("rate", [44_100, 48_000, 32_000, 24_000, 22_050, 96_000])
def test_what_16_khz_cannot_hold_is_gone(rate: int) -> None:
    for frequency in range(8_100, rate // 2, 700):
        output = resampled(rate, sine(rate, frequency, 30_000))[1_000:15_000]
        assert np.abs(output.astype(int)).max() <= 30, frequency  # -60 dB


def test_a_telephone_band_gets_no_mirror_image() -> None:
    for frequency in (300, 1_000, 2_000, 3_000, 3_400):
        output = resampled(8_000, sine(8_000, frequency))
        assert abs(20 * np.log10(level(output, frequency) / 10_000)) < 0.1
        assert 20 * np.log10(level(output, 8_000 - frequency) / 10_000) < -60


def test_there_is_no_delay() -> None:
    output = resampled(48_000, sine(48_000, 440))
    expected = sine(16_000, 440)
    assert np.abs(output[500:15_500].astype(int) - expected[500:15_500]).max() <= 3


def test_overshoot_saturates() -> None:
    square = np.where(np.arange(4_800) // 240 % 2, 32767, -32768).astype(np.int16)
    output = resampled(48_000, square).astype(int)
    assert (output.min(), output.max()) == (-32768, 32767)
    assert np.abs(np.sign(output[100:160]) - 1).max() == 0


def test_after_a_flush_a_new_stream_begins() -> None:
    resampler = StreamResampler(44_100)
    first = np.concatenate((resampler.feed(sine(44_100, 440)), resampler.flush()))
    second = np.concatenate((resampler.feed(sine(44_100, 440)), resampler.flush()))
    assert first.tobytes() == second.tobytes()


def test_the_state_is_small() -> None:
    sizes = {rate: len(StreamResampler(rate).export()) for rate in (8_000, 16_000, 44_100, 48_000)}
    assert sizes == {8_000: 151, 16_000: 13, 44_100: 399, 48_000: 431}


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"\x01",
        StreamResampler(48_000).export(),
        b"\x02" + StreamResampler(44_100).export()[1:],
    ],
)
def test_a_foreign_state_is_refused(state: bytes) -> None:
    with pytest.raises(ValueError, match="resampler state"):
        StreamResampler.restore(44_100, state)
