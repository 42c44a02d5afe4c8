"""What happened at the service, for tests to look at."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.fake_transcribe.behaviours import Behaviour
from tests.fake_transcribe.parameters import Parameters

EndOfAudio = Literal["envelope", "event", "stream"]
"""An envelope around nothing, an event without audio, or the end of the request alone."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that went to the client."""

    at: float
    """Seconds of the event loop's clock."""
    audio: float
    """Seconds of audio that were received when it came up."""
    body: dict[str, Any]
    """Of a transcript event; of an exception `{"exception": name, "Message": text}`."""


@dataclass(slots=True)
class StreamRecord:
    """One request, counted from 1 over all connections."""

    number: int
    connection: int
    behaviour: Behaviour
    opened: float
    request_id: str
    parameters: Parameters | None = None
    """None: it was not understood."""
    answered: float | None = None
    first_audio: float | None = None
    last_audio: float | None = None
    ended: float | None = None
    audio_seconds: float = 0.0
    audio_events: int = 0
    audio_bytes: int = 0
    end_of_audio: EndOfAudio | None = None
    outcome: str = ""
    """`done`, the name of an error or a failure, or `client` if the client broke off."""
    sent: list[Sent] = field(default_factory=list)
    kept: bytearray | None = None
    """The audio as it came, if the service was told to keep it."""
    hash: Any = field(default_factory=hashlib.sha256)
    """Of the audio as it came."""

    @property
    def session_id(self) -> str:
        """Its session; empty if it was not understood."""
        return self.parameters.session_id if self.parameters else ""

    @property
    def pace(self) -> float:
        """Seconds of audio in a second of time, from the first event to the last."""
        if self.first_audio is None or self.last_audio is None:
            return 0.0
        return self.audio_seconds / max(0.001, self.last_audio - self.first_audio)

    @property
    def results(self) -> list[dict[str, Any]]:
        """All results sent, partial ones too."""
        return [
            result
            for sent in self.sent
            for result in sent.body.get("Transcript", {}).get("Results", ())
        ]

    @property
    def text(self) -> str:
        """The final text of all channels, in the order in which it was sent."""
        finals = (result for result in self.results if not result["IsPartial"])
        return " ".join(final["Alternatives"][0]["Transcript"] for final in finals)

    def took(self, data: bytes, now: float) -> None:
        """Count an event's audio."""
        self.first_audio = now if self.first_audio is None else self.first_audio
        self.last_audio = now
        self.audio_events += 1
        self.audio_bytes += len(data)
        self.hash.update(data)
        if self.kept is not None:
            self.kept += data

    def summary(self) -> dict[str, Any]:
        """Give what can be written as JSON."""
        return {
            "stream": self.number,
            "connection": self.connection,
            "session": self.session_id,
            "outcome": self.outcome,
            "audio_seconds": round(self.audio_seconds, 3),
            "audio_sha256": self.hash.hexdigest(),
            "pace": round(self.pace, 2),
            "sent": len(self.sent),
            "text": self.text,
        }


@dataclass(slots=True)
class Journal:
    """Everything since the start."""

    connections: int = 0
    open_connections: int = 0
    streams: list[StreamRecord] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    """Errors sent, before a stream or in it, by name."""
    signature_failures: int = 0
    most_open: int = 0
    """Streams at the same time."""

    def of_session(self, session_id: str) -> list[StreamRecord]:
        """Give the streams of a session, oldest first."""
        return [stream for stream in self.streams if stream.session_id == session_id]
