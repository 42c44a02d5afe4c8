"""Structured logs: an allow-list of fields, never text, audio, tokens or payloads."""

import hashlib
import json
import logging
import sys
import time
import traceback
from typing import Any, Final, Literal

FIELDS: Final = (
    "session", "shard", "worker", "count", "seconds", "samples", "code", "reason", "status",
    "engine", "model", "address", "port", "attempt", "error", "trace_id", "span_id",
)  # fmt: skip
"""Everything that may stand beside an event; a field that is not here is not written."""

MESSAGE_BOUND: Final = 300


def session_tag(session_id: str) -> str:
    """Give the short hash under which logs speak of a session."""
    return hashlib.sha256(session_id.encode()).hexdigest()[:10]


def about(session_id: str | None = None, **fields: Any) -> dict[str, Any]:
    """Give the `extra` of a log call."""
    if session_id is not None:
        fields["session"] = session_tag(session_id)
    return fields


def _allowed(record: logging.LogRecord) -> dict[str, Any]:
    return {name: _cut(getattr(record, name)) for name in FIELDS if hasattr(record, name)}


def _cut(value: Any) -> Any:
    return value if isinstance(value, int | float | None) else str(value)[:MESSAGE_BOUND]


def _traceback(record: logging.LogRecord) -> str:
    # Errors of libraries quote what they were given: the frames are kept, the message is cut.
    if not record.exc_info:
        return ""
    error = record.exc_info[1]
    if type(error).__module__ == "aiohttp.http_exceptions":
        # It quotes the address, which may hold what a client calls its speech.
        return type(error).__name__
    parts = traceback.format_exception(*record.exc_info)
    return "\n".join(part.rstrip("\n")[:MESSAGE_BOUND] for part in parts)


class JsonFormatter(logging.Formatter):
    """One JSON object per line."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Give time, level, service, event and the allowed fields."""
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "service": self._service,
            "event": record.getMessage()[:MESSAGE_BOUND],
            **_allowed(record),
        }
        if record.exc_info:
            line["traceback"] = _traceback(record)
        return json.dumps(line)


class ConsoleFormatter(logging.Formatter):
    """One line for people."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Give time of day, service, event and the allowed fields."""
        fields = " ".join(f"{name}={value}" for name, value in _allowed(record).items())
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        event = record.getMessage()[:MESSAGE_BOUND]
        line = f"{clock} {record.levelname.lower():7} {self._service}: {event} {fields}".rstrip()
        return "\n".join(filter(None, [line, _traceback(record)]))


def is_ours(record: logging.LogRecord) -> bool:
    """Say whether what a web server logs is a fault of this side.

    What is no HTTP, in its head or its body, is its sender's, who is told so: any stranger could
    fill the log with it.
    """
    kind = type(record.exc_info[1] if record.exc_info else None)
    return kind.__module__ != "aiohttp.http_exceptions" and kind.__name__ != "RequestPayloadError"


def setup(service: str, style: Literal["json", "console"], level: str = "INFO") -> None:
    """Send all logs of the process to stderr in one form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service) if style == "json" else ConsoleFormatter(service))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
