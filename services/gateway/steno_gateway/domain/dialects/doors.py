"""Which dialect is spoken at which door."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from steno_gateway.domain.dialects.base import Dialect
from steno_gateway.domain.dialects.native import NATIVE
from steno_gateway.domain.dialects.send_audio import SendAudio
from steno_gateway.domain.dialects.simple import Simple

LIVE: Final = "/ws"
STATE: Final = "/st"
SEND_AUDIO: Final = "/sendAudio"


def dialect_at(path: str, query: Mapping[str, str], limits: SendAudio) -> Dialect:
    """Give what is spoken at the door of a path to a client that has asked for this."""
    details = _wanted(query, "details")
    if path == SEND_AUDIO:
        return replace(limits, details=details, acks=_wanted(query, "acks"))
    if path in (LIVE, STATE):
        return Simple(partials=_wanted(query, "partials"), details=details)
    return NATIVE


def _wanted(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() in {"1", "true", "yes"}
