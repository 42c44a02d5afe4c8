"""The description of incoming audio, read from a media type."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from steno_audio.errors import AudioError
from steno_audio.pcm import SAMPLE_RATE

MIN_RAW_RATE: Final = 8_000
MAX_RAW_RATE: Final = 48_000
MAX_RAW_CHANNELS: Final = 8


class Encoding(StrEnum):
    """How the bytes carry audio: raw samples, or a container that describes itself."""

    S16LE = "s16le"
    F32LE = "f32le"
    MULAW = "mulaw"
    ALAW = "alaw"
    WEBM = "webm"
    OGG = "ogg"
    WAV = "wav"
    FLAC = "flac"
    MP3 = "mp3"
    MP4 = "mp4"
    AAC = "aac"
    ANY = "any"  # some container: its first bytes tell which


_SAMPLE_BYTES: Final[Mapping[Encoding, int]] = {
    Encoding.S16LE: 2,
    Encoding.F32LE: 4,
    Encoding.MULAW: 1,
    Encoding.ALAW: 1,
}

# The first media type of each encoding is the canonical one.
_MEDIA_TYPES: Final[Mapping[Encoding, tuple[str, ...]]] = {
    Encoding.S16LE: ("audio/pcm", "audio/l16", "audio/x-pcm", "audio/x-raw", "audio/raw"),
    Encoding.F32LE: (),
    Encoding.MULAW: ("audio/pcmu", "audio/basic", "audio/x-mulaw", "audio/mulaw"),
    Encoding.ALAW: ("audio/pcma", "audio/x-alaw", "audio/alaw"),
    Encoding.WEBM: ("audio/webm", "video/webm", "audio/x-matroska", "video/x-matroska"),
    Encoding.OGG: ("audio/ogg", "video/ogg", "application/ogg", "audio/opus", "audio/x-opus+ogg"),
    Encoding.WAV: ("audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave", "audio/x-pn-wav"),
    Encoding.FLAC: ("audio/flac", "audio/x-flac"),
    Encoding.MP3: ("audio/mpeg", "audio/mp3", "audio/x-mp3", "audio/x-mpeg", "audio/mpeg3"),
    Encoding.MP4: ("audio/mp4", "audio/x-m4a", "audio/m4a", "video/mp4", "video/quicktime"),
    Encoding.AAC: ("audio/aac", "audio/x-aac", "audio/aacp", "audio/x-hx-aac-adts"),
    Encoding.ANY: ("application/octet-stream", "audio/*"),
}
_ENCODING_OF: Final[Mapping[str, Encoding]] = {
    media_type: encoding for encoding, types in _MEDIA_TYPES.items() for media_type in types
}


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """Incoming audio: its encoding; for raw encodings also the rate and the channels.

    Raw: `sample_rate` is 8,000 to 48,000 Hz and `channels` 1 to 8, interleaved. Containers say both
    themselves; here they are 0.

    Raises AudioError (`invalid_audio_format`) for values outside these ranges.
    """

    encoding: Encoding
    sample_rate: int = 0
    channels: int = 0

    def __post_init__(self) -> None:
        if self.is_container:
            if self.sample_rate or self.channels:
                raise _invalid(f"{self.encoding} audio says its sample rate and channels itself")
            return
        if not MIN_RAW_RATE <= self.sample_rate <= MAX_RAW_RATE:
            raise _invalid(
                f"sample rate {self.sample_rate} Hz is outside {MIN_RAW_RATE} to {MAX_RAW_RATE} Hz"
            )
        if not 1 <= self.channels <= MAX_RAW_CHANNELS:
            raise _invalid(f"{self.channels} channels: raw audio has 1 to {MAX_RAW_CHANNELS}")

    @classmethod
    def parse(
        cls, mime_type: str, *, sample_rate: int | None = None, channels: int | None = None
    ) -> Self:
        """Read a media type such as `audio/pcm;rate=24000` or `audio/webm;codecs=opus`.

        Raw audio takes rate (Hz) and channels from the type's parameters or from the arguments;
        both may be given if they agree. Without any, PCM is 16,000 Hz, G.711 is 8,000 Hz, all mono.
        For containers both are ignored: the stream itself says them.

        Raises AudioError: `unsupported_format` for an unknown type, `invalid_audio_format` for
        parameters that are malformed, out of range or contradictory.
        """
        essence, parameters = _split(mime_type)
        encoding = _ENCODING_OF.get(essence)
        if encoding is None:
            raise AudioError("unsupported_format", f"audio of type {essence!r} is not supported")
        if encoding not in _SAMPLE_BYTES:
            return cls(encoding)
        encoding = _raw_encoding(encoding, parameters)
        default_rate = SAMPLE_RATE if encoding in (Encoding.S16LE, Encoding.F32LE) else 8_000
        return cls(
            encoding,
            _agreed("rate", sample_rate, parameters, default_rate),
            _agreed("channels", channels, parameters, 1),
        )

    @property
    def is_container(self) -> bool:
        """Whether the bytes need a demuxer; False for raw samples."""
        return self.encoding not in _SAMPLE_BYTES

    @property
    def frame_bytes(self) -> int:
        """Bytes of one raw sample of all channels; 0 for containers."""
        return _SAMPLE_BYTES.get(self.encoding, 0) * self.channels

    @property
    def mime_type(self) -> str:
        """The canonical media type: `AudioFormat.parse` of it gives this format again."""
        if self.is_container:
            return _MEDIA_TYPES[self.encoding][0]
        if self.encoding is Encoding.F32LE:
            essence = "audio/pcm;encoding=f32le"
        else:
            essence = _MEDIA_TYPES[self.encoding][0]
        return f"{essence};rate={self.sample_rate};channels={self.channels}"


def _invalid(message: str) -> AudioError:
    return AudioError("invalid_audio_format", message)


def _split(mime_type: str) -> tuple[str, dict[str, str]]:
    """Type and parameters, lower case.

    GStreamer writes `audio/x-raw, format=(string)S16LE, rate=(int)16000`: comma is a separator too,
    and a value's type in brackets is dropped.
    """
    essence, *rest = re.split(r"[;,]", mime_type.lower())
    parameters: dict[str, str] = {}
    for part in rest:
        name, equals, value = part.partition("=")
        if equals:
            parameters[name.strip()] = re.sub(r"^\(\w+\)", "", value.strip()).strip('" ')
    return essence.strip(), parameters


def _raw_encoding(encoding: Encoding, parameters: Mapping[str, str]) -> Encoding:
    if encoding is not Encoding.S16LE:
        return encoding
    name = parameters.get("encoding", parameters.get("format", "s16le"))
    if name not in (Encoding.S16LE, Encoding.F32LE):
        raise _invalid(f"raw audio encoding {name!r}: it must be s16le or f32le")
    return Encoding(name)


def _agreed(name: str, given: int | None, parameters: Mapping[str, str], default: int) -> int:
    written = parameters.get(name)
    if written is None:
        return default if given is None else given
    if not re.fullmatch(r"[0-9]{1,9}", written):
        raise _invalid(f"{name}={written!r} is not a whole number")
    value = int(written)
    if given is not None and given != value:
        raise _invalid(f"{name} is {value} in the media type, {given} beside it")
    return value
