"""What a session is created with."""

from dataclasses import dataclass
from typing import Any, Final, Literal, NotRequired, Self, TypedDict

from steno_audio import AudioError, AudioFormat
from steno_client.errors import SessionError
from steno_client.recording import Recording, Tape

_MAX_CHUNK: Final = 1024 * 1024
_CONTAINER_CHUNK: Final = 64 * 1024
_CONTAINER_BUFFER: Final = 16 * 1024 * 1024
_ALONE: Final = ("language", "task", "prompt", "duration_limit", "user_id")
"""Options of one value that an address says too."""


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


class Destination(TypedDict):
    """Where results of one session are delivered, see docs/protocol.md, 9."""

    kind: Literal["webhook", "relay", "pipeline"]
    url: str
    secret: NotRequired[str]
    """`whsec_…`: signs what is sent. The server shows it to nobody."""
    events: NotRequired[list[str] | tuple[str, ...]]
    answers: NotRequired[bool]
    """Of a relay over WebSocket: its receiver says back the id of each message it has kept."""


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
    """Whose session it is; comes back with the transcript, as `metadata` does."""
    metadata: dict[str, str] | None
    """At most 16 texts of your own."""
    destinations: list[Destination] | tuple[Destination, ...] | None
    """At most 4, beside those of the installation. Not with block mode's recording: they were told
    of the session that it replaces."""


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
        """What the server is told of the session, as block mode says it in its address."""
        asked = self.request
        one = [(name, str(asked[name])) for name in _ALONE if name in asked]
        hotwords = [("hotwords", word) for word in asked.get("hotwords", ())]
        engines = ",".join(asked.get("engines", ()))
        chosen = [("engines", engines)] if engines else []
        metadata = asked.get("metadata", {}).items()
        return [*one, *hotwords, *chosen, *((f"metadata.{name}", text) for name, text in metadata)]

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
