import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_audio import AudioError, AudioFormat, Encoding

RAW = [Encoding.S16LE, Encoding.F32LE, Encoding.MULAW, Encoding.ALAW]
CONTAINERS = [encoding for encoding in Encoding if encoding not in RAW]

formats = st.one_of(
    st.builds(AudioFormat, st.sampled_from(CONTAINERS)),
    st.builds(AudioFormat, st.sampled_from(RAW), st.integers(8_000, 48_000), st.integers(1, 8)),
)


@pytest.mark.parametrize(
    ("mime_type", "expected"),
    [
        ("audio/pcm", AudioFormat(Encoding.S16LE, 16_000, 1)),
        ("audio/l16;rate=24000;channels=2", AudioFormat(Encoding.S16LE, 24_000, 2)),
        ("Audio/PCM; Rate=48000; encoding=F32LE", AudioFormat(Encoding.F32LE, 48_000, 1)),
        (
            "audio/x-raw, format=(string)S16LE, rate=(int)44100, channels=(int)1",
            AudioFormat(Encoding.S16LE, 44_100, 1),
        ),
        ("audio/pcmu", AudioFormat(Encoding.MULAW, 8_000, 1)),
        ("audio/basic", AudioFormat(Encoding.MULAW, 8_000, 1)),
        ("audio/x-mulaw;rate=16000", AudioFormat(Encoding.MULAW, 16_000, 1)),
        ("audio/pcma", AudioFormat(Encoding.ALAW, 8_000, 1)),
        ("audio/x-alaw", AudioFormat(Encoding.ALAW, 8_000, 1)),
        ("audio/webm;codecs=opus", AudioFormat(Encoding.WEBM)),
        ('audio/webm; codecs="opus"', AudioFormat(Encoding.WEBM)),
        ("video/webm", AudioFormat(Encoding.WEBM)),
        ("audio/ogg", AudioFormat(Encoding.OGG)),
        ("audio/x-wav", AudioFormat(Encoding.WAV)),
        ("audio/wave", AudioFormat(Encoding.WAV)),
        ("audio/flac", AudioFormat(Encoding.FLAC)),
        ("audio/mp3", AudioFormat(Encoding.MP3)),
        ("audio/x-m4a", AudioFormat(Encoding.MP4)),
        ("audio/aac", AudioFormat(Encoding.AAC)),
        ("application/octet-stream", AudioFormat(Encoding.ANY)),
    ],
)
def test_a_media_type_is_read(mime_type: str, expected: AudioFormat) -> None:
    assert AudioFormat.parse(mime_type) == expected


def test_rate_and_channels_may_stand_beside_the_media_type() -> None:
    parsed = AudioFormat.parse("audio/pcm;rate=8000", sample_rate=8_000, channels=2)
    assert parsed == AudioFormat(Encoding.S16LE, 8_000, 2)


def test_a_container_says_its_rate_itself() -> None:
    assert AudioFormat.parse("audio/ogg", sample_rate=8_000) == AudioFormat(Encoding.OGG)


@pytest.mark.parametrize("mime_type", ["", "audio/", "audio/midi", "text/plain", "pcm"])
def test_an_unknown_type_is_unsupported(mime_type: str) -> None:
    with pytest.raises(AudioError) as caught:
        AudioFormat.parse(mime_type)
    assert caught.value.code == "unsupported_format"


@pytest.mark.parametrize(
    ("mime_type", "sample_rate", "message"),
    [
        ("audio/pcm;rate=7999", None, "sample rate 7999 Hz is outside 8000 to 48000 Hz"),
        ("audio/pcm", 48_001, "sample rate 48001 Hz is outside 8000 to 48000 Hz"),
        ("audio/pcm;channels=9", None, "9 channels: raw audio has 1 to 8"),
        ("audio/pcm;channels=0", None, "0 channels: raw audio has 1 to 8"),
        ("audio/pcm;rate=fast", None, "rate='fast' is not a whole number"),
        ("audio/pcm;rate=-1", None, "rate='-1' is not a whole number"),
        ("audio/pcm;rate=8000", 16_000, "rate is 8000 in the media type, 16000 beside it"),
        (
            "audio/pcm;encoding=s24le",
            None,
            "raw audio encoding 's24le': it must be s16le or f32le",
        ),
    ],
)
def test_an_invalid_parameter_is_named(
    mime_type: str, sample_rate: int | None, message: str
) -> None:
    with pytest.raises(AudioError) as caught:
        AudioFormat.parse(mime_type, sample_rate=sample_rate)
    assert (caught.value.code, caught.value.message) == ("invalid_audio_format", message)


def test_a_container_takes_no_rate() -> None:
    with pytest.raises(AudioError, match="says its sample rate"):
        AudioFormat(Encoding.WEBM, 48_000)


def test_raw_audio_and_containers_are_told_apart() -> None:
    assert [encoding for encoding in RAW if AudioFormat(encoding, 8_000, 1).is_container] == []
    assert all(AudioFormat(encoding).is_container for encoding in CONTAINERS)


def test_a_frame_has_a_sample_of_every_channel() -> None:
    sizes = [AudioFormat(encoding, 8_000, 3).frame_bytes for encoding in RAW]
    assert sizes == [6, 12, 3, 3]


@given(formats)
def test_the_canonical_media_type_gives_the_format_again(audio_format: AudioFormat) -> None:
    assert AudioFormat.parse(audio_format.mime_type) == audio_format


@given(st.text(), st.none() | st.integers(), st.none() | st.integers())
def test_any_text_is_a_format_or_one_error(
    text: str, sample_rate: int | None, channels: int | None
) -> None:
    codes = set()
    for mime_type in (text, f"audio/pcm;{text}"):
        try:
            AudioFormat.parse(mime_type, sample_rate=sample_rate, channels=channels)
        except AudioError as error:
            codes.add(error.code)
    assert codes <= {"unsupported_format", "invalid_audio_format"}
