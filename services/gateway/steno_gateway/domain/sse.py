"""Server-Sent Events: names, ids, blocks."""

from typing import Final

EVENT_NAMES: Final = {
    "server:transcription_partial": "caption.partial",
    "server:transcription_final": "caption.final",
    "server:translation": "caption.translation",
    "server:snapshot": "caption.snapshot",
    "server:utterance": "utterance.end",
    "server:status": "session.status",
    "server:warning": "session.warning",
    "server:session_completed": "session.ended",
    "server:token": "session.token",
}


def sse_block(event: str, data: bytes, event_id: str | None = None) -> bytes:
    """Give one event; `data` is JSON without line breaks, only durable events have an id."""
    identity = b"" if event_id is None else b"id: " + event_id.encode() + b"\n"
    return identity + b"event: " + event.encode() + b"\ndata: " + data + b"\n\n"


def last_number(event_id: str, epoch: str) -> int | None:
    """Read `<epoch>-<number>`: the number, 0 for none, None if it is of another epoch."""
    if not event_id:
        return 0
    of_epoch, _, number = event_id.rpartition("-")
    if of_epoch != epoch or not (number.isascii() and number.isdecimal() and len(number) < 16):
        return None
    return int(number)
