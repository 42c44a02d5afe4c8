"""Who asks, with the rights they have shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from steno_gateway.domain.errors import ClientError

Right = Literal["manage", "listen", "speak", "restore", "translate"]
"""`manage`: whatever is not bound to holding a session; `speak`: to hold one; `listen`: to read;
`restore`: to bring one back that was lost; `translate`: to give its texts in other languages."""

SESSIONS: Final = "/api/streaming/sessions"
SESSION: Final = SESSIONS + "/{session_id}"
EVENT_STREAM: Final = SESSION + "/events"
LETTERS: Final = "/api/letters"
LETTER: Final = LETTERS + "/{letter_id}"

DOORS: Final[Mapping[tuple[str, str], Right | None]] = MappingProxyType(
    {
        ("GET", "/"): None,
        ("GET", "/status"): None,
        ("GET", "/healthz"): None,
        ("GET", "/readyz"): None,
        ("GET", "/console/{name}"): None,
        ("GET", "/metrics"): "manage",
        ("POST", SESSIONS): "manage",
        ("GET", SESSIONS): "manage",
        ("GET", SESSION): "listen",
        ("DELETE", SESSION): "manage",
        ("POST", SESSION + "/tokens"): "manage",
        ("POST", SESSION + "/restore"): "restore",
        ("POST", SESSION + "/translations"): "translate",
        ("GET", SESSION + "/metrics"): "listen",
        ("GET", SESSION + "/ws"): "speak",
        ("GET", SESSION + "/listen"): "listen",
        ("GET", EVENT_STREAM): "listen",
        ("GET", "/ws"): "manage",
        ("GET", "/st"): None,
        ("GET", "/sendAudio"): "manage",
        ("POST", "/api/transcriptions"): "manage",
        ("GET", "/api/transcripts"): "manage",
        ("GET", "/api/transcripts/{name}"): "manage",
        ("DELETE", "/api/transcripts/{name}"): "manage",
        ("GET", LETTERS): "manage",
        ("DELETE", LETTERS): "manage",
        ("POST", LETTERS + "/replay"): "manage",
        ("DELETE", LETTER): "manage",
        ("POST", LETTER + "/replay"): "manage",
    }
)
"""The right that each route takes; None: none at all."""

KEY_RIGHTS: Final = frozenset[Right]({"manage", "listen", "restore", "translate"})
TOKEN_RIGHTS: Final[Mapping[Right, frozenset[Right]]] = MappingProxyType(
    {
        "speak": frozenset({"speak", "listen", "restore"}),
        "listen": frozenset({"listen"}),
        "translate": frozenset({"translate"}),
    }
)
ALL_RIGHTS: Final = KEY_RIGHTS | TOKEN_RIGHTS["speak"]


def needed(method: str, path: str) -> Right | None:
    """Give what a route takes; of one that is not in the table, an API key."""
    return DOORS.get(("GET" if method == "HEAD" else method, path), "manage")


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who asks for something."""

    rights: frozenset[Right] = frozenset()
    key: str | None = None
    """Name of the API key that the rights come from; None: there are no keys, or none was shown."""
    session_id: str | None = None
    """The one session that the rights are for; None: all."""
    address: str = ""
    """Under which limits of an address are counted."""

    def require(self, right: Right, session_id: str | None) -> None:
        """Raise ClientError `unauthorized` or `forbidden` if the caller may not do this."""
        if not self.rights:
            raise ClientError("unauthorized", "an API key or a token of the session is needed")
        if self.session_id is not None and session_id != self.session_id:
            raise ClientError("forbidden", "the token is not for this")
        if right not in self.rights:
            wanted = "the session's token" if right in ("speak", "restore") else "an API key"
            raise ClientError("forbidden", f"this takes {wanted}")
