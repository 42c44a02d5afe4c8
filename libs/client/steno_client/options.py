"""What a session is created with."""

from dataclasses import dataclass
from typing import Any, Final, Literal, Self, TypedDict

from steno_audio import AudioError, AudioFormat
from steno_client.errors import SessionError
from steno_client.recording import Recording, Tape

_MAX_CHUNK: Final = 1024 * 1024
_CONTAINER_CHUNK: Final = 64 * 1024
_CONTAINER_BUFFER: Final = 16 * 1024 * 1024


class Understanding(TypedDict, total=False):
    """How audio is to be understood; None: the server's choice."""

    language: str | None
    """BCP 47, or `multi`: each segment may have another one. None: found on the first speech."""
    task: Literal["transcribe", "translate"] | None
    """`translate`: to English."""
    prompt: str | None
    """Text as if said before: names, terms, style; at most 1,000 characters."""
    hotwords: list[str] | tuple[str, ...] | None
    """Words that are likely to be said: at most 100, of 64 characters each."""


class Options(Understanding, total=False):
    """What a session is created with."""

    mime_type: str
    """Format of the audio, default `audio/pcm`: s16le, 16,000 Hz, mono."""
    sample_rate: int | None
    channels: int | None
    """Of raw formats."""
    duration_limit: int | None
    """Seconds of audio, 60 to 3600."""
    engines: list[str] | tuple[str, ...] | None
    """Engines that may recognise it, the first choice first; None: the server's choice."""
    user_id: str | None
    metadata: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class Setup:
    """The format of a session's audio with what the server is told about it."""

    audio: AudioFormat
    request: dict[str, Any]
    """Body of the request that creates the session."""
    recording: Recording | None = None
    """What block mode sends; None: there is no block mode."""
    tape: Tape | None = None
    """Where the recording is kept, if it has to be."""

    @classmethod
    def read(cls, options: Options, *, block_mode: bool, replay: Recording | None) -> Self:
        """Check the options.

        Raises SessionError (`unsupported_format`, `invalid_audio_format`).
        """
        mime_type = options.get("mime_type", "audio/pcm")
        try:
            audio = AudioFormat.parse(
                mime_type, sample_rate=options.get("sample_rate"), channels=options.get("channels")
            )
        except AudioError as error:
            raise SessionError(error.code, error.message) from error
        given = {name: value for name, value in options.items() if value is not None}
        request = given | {"mime_type": mime_type}
        tape = Tape() if block_mode and replay is None else None
        if tape is not None:
            replay = tape.play
        return cls(audio, request, replay, tape)

    @property
    def query(self) -> list[tuple[str, str]]:
        """How the audio is to be understood, as block mode says it in its address."""
        one = [name for name in ("language", "task", "prompt") if name in self.request]
        hotwords = [("hotwords", word) for word in self.request.get("hotwords", ())]
        engines = ",".join(self.request.get("engines", ()))
        chosen = [("engines", engines)] if engines else []
        return [(name, self.request[name]) for name in one] + hotwords + chosen

    @property
    def chunk_bytes(self) -> int:
        """Size of a full chunk: a second of raw audio, but at most 1 MiB."""
        return min(self._second, _MAX_CHUNK) or _CONTAINER_CHUNK

    def buffer_bytes(self, seconds: float) -> int:
        """How much audio may wait; a container's time is not known, so it has a fixed size."""
        return round(self._second * seconds) or _CONTAINER_BUFFER

    @property
    def _second(self) -> int:
        return self.audio.sample_rate * self.audio.frame_bytes
