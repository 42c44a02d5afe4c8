import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_audio import AudioError, Encoding, guess_mime_type
from steno_audio.sniff import mp4_index_is_late, resolve_container, sniff_container


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\x1a\x45\xdf\xa3........", Encoding.WEBM),
        (b"OggS........", Encoding.OGG),
        (b"RIFF\x00\x00\x00\x00WAVE", Encoding.WAV),
        (b"RIFF\x00\x00\x00\x00AVI ", None),
        (b"fLaC........", Encoding.FLAC),
        (b"ID3\x04........", Encoding.MP3),
        (b"\xff\xfb\x90\x00", Encoding.MP3),
        (b"\xff\xf3\x40\x00", Encoding.MP3),
        (b"\xff\xf1\x50\x80", Encoding.AAC),
        (b"\xff\xff\xff\xff", None),
        (b"\x00\x00\x00\x20ftypM4A ", Encoding.MP4),
        (b"", None),
        (b"\xff", None),
    ],
)
def test_a_container_is_known_by_its_first_bytes(head: bytes, expected: Encoding | None) -> None:
    assert sniff_container(head) == expected


def test_what_the_bytes_say_counts_more_than_what_was_declared() -> None:
    assert resolve_container(Encoding.WEBM, b"OggS........") is Encoding.OGG


def test_mpeg_audio_may_begin_within_a_frame() -> None:
    assert resolve_container(Encoding.MP3, b"............") is Encoding.MP3


def test_a_tag_before_flac_or_aac_is_not_mpeg_audio() -> None:
    assert resolve_container(Encoding.AAC, b"ID3\x04........") is Encoding.AAC
    assert resolve_container(Encoding.ANY, b"ID3\x04........") is Encoding.MP3


def test_a_frame_sync_is_weaker_than_another_declaration() -> None:
    assert resolve_container(Encoding.ANY, b"\xff\xfb\x90\x00........") is Encoding.MP3
    assert resolve_container(Encoding.AAC, b"\xff\xfb\x90\x00........") is Encoding.MP3
    with pytest.raises(AudioError, match="not those of ogg"):
        resolve_container(Encoding.OGG, b"\xff\xfb\x90\x00........")


def test_bytes_of_no_container_are_refused() -> None:
    with pytest.raises(AudioError, match="not those of webm") as caught:
        resolve_container(Encoding.WEBM, b"............")
    assert caught.value.code == "undecodable_audio"


def box(kind: bytes, size: int = 8) -> bytes:
    return size.to_bytes(4, "big") + kind + bytes(size - 8)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (box(b"ftyp", 24) + box(b"mdat"), True),
        (box(b"ftyp", 24) + box(b"free") + box(b"mdat"), True),
        (box(b"ftyp", 24) + box(b"moov") + box(b"mdat"), False),
        (box(b"ftyp", 24) + box(b"mdat")[:7], False),
        (b"OggS" + bytes(20), False),
        (b"", False),
    ],
)
def test_an_index_behind_the_media_is_seen_early(head: bytes, expected: bool) -> None:
    assert mp4_index_is_late(head) is expected


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("talk.WEBM", b"", "audio/webm"),
        ("talk.opus", b"", "audio/ogg"),
        ("a/b/talk.m4a", b"", "audio/mp4"),
        ("talk.mp3", b"fLaC........", "audio/flac"),
        ("talk.txt", b"", None),
        ("talk", b"", None),
    ],
)
def test_a_file_is_guessed_by_its_bytes_then_by_its_name(
    name: str, head: bytes, expected: str | None
) -> None:
    assert guess_mime_type(name, head) == expected


@given(st.binary(max_size=64))
def test_any_bytes_can_be_looked_at(head: bytes) -> None:
    sniff_container(head)
    mp4_index_is_late(head)
