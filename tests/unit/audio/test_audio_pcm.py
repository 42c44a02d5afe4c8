import io
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_audio import wav_bytes
from steno_audio.g711 import alaw_table, mulaw_table
from steno_audio.pcm import downmix, to_s16


def test_mu_law_expands_as_the_recommendation_says() -> None:
    # 14-bit values by segment: (33 + 2 * step) doubled per segment, less the bias of 33.
    magnitudes = [
        4 * (((33 + 2 * step) << segment) - 33) for segment in range(8) for step in range(16)
    ]
    table = mulaw_table().tolist()
    assert [table[255 - code] for code in range(128)] == magnitudes
    assert [table[127 - code] for code in range(128)] == [-value for value in magnitudes]


def test_a_law_expands_as_the_recommendation_says() -> None:
    # 13-bit values by segment: the first two have equal steps, then they double.
    magnitudes = [8 * (2 * step + 1) for step in range(16)]
    magnitudes += [
        8 * ((2 * step + 33) << (segment - 1)) for segment in range(1, 8) for step in range(16)
    ]
    table = alaw_table().tolist()
    assert [table[(0x80 | code) ^ 0x55] for code in range(128)] == magnitudes
    assert [table[code ^ 0x55] for code in range(128)] == [-value for value in magnitudes]


@pytest.mark.parametrize(
    ("byte", "mulaw", "alaw"),
    [
        (0x00, -32124, -5504),
        (0x2A, -5372, -32256),
        (0x55, -716, -8),
        (0x7F, 0, -848),
        (0x80, 32124, 5504),
        (0xD5, 716, 8),
        (0xFF, 0, 848),
    ],
)
def test_single_g711_bytes_have_these_values(byte: int, mulaw: int, alaw: int) -> None:
    assert (int(mulaw_table()[byte]), int(alaw_table()[byte])) == (mulaw, alaw)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (np.array([0, 128, 255], np.uint8), [-32768, 0, 32512]),
        (np.array([-5, 7], np.int16), [-5, 7]),
        (np.array([1 << 16, 0x7FFF, 0x8000, -0x8000, 2**31 - 1], np.int32), [1, 0, 1, 0, 32767]),
        (np.array([1 << 47, -(1 << 63)], np.int64), [1, -32768]),
        (
            np.array([0.5, -1.0, 1.0, 7.0, -7.0, np.nan, np.inf, -np.inf], np.float32),
            [16384, -32768, 32767, 32767, -32768, 0, 0, 0],
        ),
    ],
)
def test_samples_of_any_type_become_16_bits(samples: np.ndarray, expected: list[int]) -> None:
    assert to_s16(samples).tolist() == expected


def test_a_type_that_is_no_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="no audio sample type"):
        to_s16(np.array([True]))


def test_channels_are_averaged_and_halves_go_up() -> None:
    frames = np.array([[1, 2], [-1, -2], [32767, 32767], [-32768, -32768]], np.int16)
    assert downmix(frames).tolist() == [2, -1, 32767, -32768]


@given(st.integers(1, 8), st.integers(-32768, 32767))
def test_equal_channels_stay_what_they_are(channels: int, value: int) -> None:
    assert downmix(np.full((1, channels), value, np.int16)).tolist() == [value]


def test_a_wav_file_holds_the_pcm() -> None:
    with wave.open(io.BytesIO(wav_bytes(b"\x01\x00\x02\x00"))) as reader:
        assert reader.getparams()[:4] == (1, 2, 16_000, 2)
        assert reader.readframes(9) == b"\x01\x00\x02\x00"
