"""Bytes as text for addresses, headers, JSON: base64url in its one spelling."""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def to_text(data: bytes) -> str:
    """Write bytes."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def of_text(text: str) -> bytes:
    """Undo `to_text`; raises ValueError for anything else, also for a second spelling."""
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if to_text(data) != text:
        raise ValueError
    return data
