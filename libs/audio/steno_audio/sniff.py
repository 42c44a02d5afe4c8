"""Recognition of audio containers by their first bytes."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Final

from steno_audio.errors import AudioError
from steno_audio.formats import AudioFormat, Encoding

HEAD_BYTES: Final = 12
"""So many first bytes are enough for `sniff_container`."""

_MAGIC: Final[Mapping[bytes, Encoding]] = {
    b"\x1a\x45\xdf\xa3": Encoding.WEBM,
    b"OggS": Encoding.OGG,
    b"fLaC": Encoding.FLAC,
    b"ID3": Encoding.MP3,
}
_MP4_BOXES: Final = frozenset(
    (b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"free", b"wide", b"skip")
)
_SUFFIXES: Final[Mapping[str, str]] = {
    **dict.fromkeys((".webm", ".weba", ".mkv", ".mka"), "audio/webm"),
    **dict.fromkeys((".ogg", ".oga", ".opus"), "audio/ogg"),
    **dict.fromkeys((".wav", ".wave"), "audio/wav"),
    **dict.fromkeys((".mp4", ".m4a", ".m4b", ".mov"), "audio/mp4"),
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".aac": "audio/aac",
    ".ulaw": "audio/pcmu",
    ".alaw": "audio/pcma",
    ".pcm": "audio/pcm",
}


def sniff_container(head: bytes) -> Encoding | None:
    """The container that begins with `head` (12 bytes decide), or None."""
    return _by_magic(head) or _by_frame_sync(head)


def resolve_container(declared: Encoding, head: bytes) -> Encoding:
    """The container to read: a magic number in the first bytes counts more than the declaration.

    MPEG audio and ADTS have none and may begin in the middle of a frame: their declaration is
    believed. The few bits of their frame sync prove nothing against another declaration.

    Raises AudioError (`undecodable_audio`) if the bytes are no container known here.
    """
    found = _by_magic(head)
    if found is Encoding.MP3 and declared in (Encoding.AAC, Encoding.FLAC):
        return declared  # an ID3 tag may stand before these too
    if found is None and declared in (Encoding.MP3, Encoding.AAC):
        found = _by_frame_sync(head) or declared
    if found is None and declared is Encoding.ANY:
        found = _by_frame_sync(head)
    if found is None:
        name = "any container" if declared is Encoding.ANY else declared
        raise AudioError("undecodable_audio", f"the first bytes are not those of {name}")
    return found


def _by_magic(head: bytes) -> Encoding | None:
    for magic, encoding in _MAGIC.items():
        if head.startswith(magic):
            return encoding
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return Encoding.WAV
    return Encoding.MP4 if head[4:8] in _MP4_BOXES else None


def _by_frame_sync(head: bytes) -> Encoding | None:
    if len(head) < 3 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0:  # ADTS: 12 sync bits, any version, layer 0
        return Encoding.AAC
    is_mpeg_audio = head[1] & 0xE6 in (0xE2, 0xE4, 0xE6) and head[1] & 0x18 != 0x08
    return Encoding.MP3 if is_mpeg_audio and head[2] >> 4 != 15 and head[2] & 12 != 12 else None


def mp4_index_is_late(head: bytes) -> bool:
    """Whether the first bytes of an MP4 show its media before its index (`moov`).

    Such a file can be decoded only when it is complete, from its end.
    """
    position = 0
    while position + 8 <= len(head):
        size = int.from_bytes(head[position : position + 4], "big")
        kind = head[position + 4 : position + 8]
        if kind in (b"moov", b"moof"):
            return False
        if kind == b"mdat":
            return True
        if size < 8:
            return False
        position += size
    return False


def guess_mime_type(name: str = "", head: bytes = b"") -> str | None:
    """The media type of a file, by its first bytes (12 are enough) or else by its name."""
    found = sniff_container(head)
    if found is not None:
        return AudioFormat(found).mime_type
    return _SUFFIXES.get(PurePath(name).suffix.lower())
