"""Where a request carries its API key or token."""

from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from typing import Final

from steno_gateway.domain.tokens import PREFIX

SUBPROTOCOL: Final = "steno.v1"
"""What a socket's handshake is answered with; a browser must be answered with one it offered."""
KEY_OFFER: Final = "steno.key."
"""Before an API key in base64url, since a subprotocol may not hold every character."""
TOKEN_OFFER: Final = "steno.token."  # noqa: S105 - a prefix


def credential_of(headers: Mapping[str, str], offered: Sequence[str]) -> str | None:
    """Give the API key or token of a request; `offered` are its WebSocket subprotocols.

    Never from its address: proxies write those down.
    """
    scheme, _, value = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    if key := headers.get("X-Api-Key", "").strip():
        return key
    for offer in offered:
        if offer.startswith(TOKEN_OFFER):
            return offer.removeprefix(TOKEN_OFFER)
        if offer.startswith(KEY_OFFER):
            return _decoded(offer.removeprefix(KEY_OFFER))
    return None


def offered_subprotocols(header: str) -> list[str]:
    """Read `Sec-WebSocket-Protocol`."""
    return [offer.strip() for offer in header.split(",") if offer.strip()]


def of_event_source(token: str | None) -> str | None:
    """Give the token in the address of an event stream, where a browser can put it nowhere else."""
    return token if token is not None and token.startswith(PREFIX) else None


def _decoded(text: str) -> str:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError:
        return text  # known to nobody
