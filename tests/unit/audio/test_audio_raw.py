import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steno_audio import AudioFormat, Encoding, RawDecoder, decoder_for

RAW = [Encoding.S16LE, Encoding.F32LE, Encoding.MULAW, Encoding.ALAW]

raw_formats = st.builds(
    AudioFormat,
    st.sampled_from(RAW),
    st.sampled_from([8_000, 16_000, 24_000, 44_100, 48_000]),
    st.integers(1, 8),
)


def decoded(audio_format: AudioFormat, data: bytes) -> bytes:
    decoder = RawDecoder(audio_format)
    return decoder.decode(data) + decoder.finish()


@settings(deadline=None)
@given(raw_formats, st.binary(max_size=4_000), st.data())
def test_neither_cuts_nor_restarts_change_the_pcm(
    audio_format: AudioFormat, data: bytes, draws: st.DataObject
) -> None:
    decoder, pcm, position = decoder_for(audio_format), b"", 0
    while position < len(data):
        size = draws.draw(st.integers(1, len(data)))
        pcm += decoder.decode(data[position : position + size])
        position += size
        if draws.draw(st.booleans()):
            carry = decoder.carry
            assert carry is not None
            decoder = decoder_for(audio_format, carry)
    assert pcm + decoder.finish() == decoded(audio_format, data)


@given(st.binary(max_size=100))
def test_16_khz_mono_pcm_comes_out_bit_for_bit(data: bytes) -> None:
    whole = data[: len(data) // 2 * 2]
    assert decoded(AudioFormat(Encoding.S16LE, 16_000, 1), data) == whole


def test_g711_is_expanded() -> None:
    mulaw = decoded(AudioFormat(Encoding.MULAW, 16_000, 1), b"\x00\x80\xff")
    alaw = decoded(AudioFormat(Encoding.ALAW, 16_000, 1), b"\x2a\xaa\xd5")
    assert struct.unpack("<3h", mulaw) == (-32124, 32124, 0)
    assert struct.unpack("<3h", alaw) == (-32256, 32256, 8)


def test_floats_clip_and_what_is_no_number_is_silence() -> None:
    data = struct.pack("<6f", 0.25, 2.0, -2.0, float("nan"), float("inf"), -1e-9)
    pcm = decoded(AudioFormat(Encoding.F32LE, 16_000, 1), data)
    assert struct.unpack("<6h", pcm) == (8192, 32767, -32768, 0, 0, 0)


def test_channels_become_their_mean() -> None:
    pcm = decoded(AudioFormat(Encoding.S16LE, 16_000, 3), struct.pack("<6h", 1, 2, 3, -3, 0, 1))
    assert struct.unpack("<2h", pcm) == (2, -1)


def test_half_a_frame_waits_for_the_rest() -> None:
    decoder = RawDecoder(AudioFormat(Encoding.S16LE, 16_000, 2))
    assert decoder.decode(b"\x01\x00\x03") == b""
    assert decoder.decode(b"\x00") == b"\x02\x00"


def test_finish_twice_from_the_same_carry_gives_the_same_tail() -> None:
    audio_format = AudioFormat(Encoding.S16LE, 48_000, 1)
    decoder = RawDecoder(audio_format)
    decoder.decode(bytes(range(200)))
    carry = decoder.carry
    assert decoder.finish() == RawDecoder(audio_format, carry).finish() != b""


def test_closing_is_harmless() -> None:
    decoder = decoder_for(AudioFormat(Encoding.MULAW, 8_000, 1))
    decoder.close()
    decoder.close()


@pytest.mark.parametrize("carry", [b"\x00", b"\x05", b"\x02\x00\x00", b"\x01"])
def test_a_foreign_carry_is_refused(carry: bytes) -> None:
    with pytest.raises(ValueError, match=r"carry|state"):
        RawDecoder(AudioFormat(Encoding.S16LE, 44_100, 1), carry)


def test_a_container_is_not_raw() -> None:
    with pytest.raises(ValueError, match="container"):
        RawDecoder(AudioFormat(Encoding.OGG))


@pytest.mark.parametrize(
    ("mime_type", "quick"),
    [
        ("audio/pcm", 32_000),
        ("audio/pcm;encoding=f32le", 64_000),
        ("audio/pcm;rate=8000", 0),
        ("audio/webm;codecs=opus", 0),
    ],
)
def test_only_samples_that_need_no_resampling_are_quick(mime_type: str, quick: int) -> None:
    decoder = decoder_for(AudioFormat.parse(mime_type))
    assert decoder.quick_bytes == quick
    decoder.close()
