"""Python client of Steno with the steno command."""

from steno_client.access import Access
from steno_client.connecting import connect, listen
from steno_client.domain.events import (
    Completed,
    Event,
    Final,
    Partial,
    Prosody,
    Statistics,
    Status,
    Translation,
    Utterance,
    Warned,
    Word,
)
from steno_client.domain.policy import Policy
from steno_client.errors import SessionError
from steno_client.history import Saved, delete_transcript, get_transcript, list_transcripts
from steno_client.options import Destination, Options
from steno_client.recording import Recording
from steno_client.session import Session

__all__ = [
    "Access",
    "Completed",
    "Destination",
    "Event",
    "Final",
    "Options",
    "Partial",
    "Policy",
    "Prosody",
    "Recording",
    "Saved",
    "Session",
    "SessionError",
    "Statistics",
    "Status",
    "Translation",
    "Utterance",
    "Warned",
    "Word",
    "connect",
    "delete_transcript",
    "get_transcript",
    "list_transcripts",
    "listen",
]
