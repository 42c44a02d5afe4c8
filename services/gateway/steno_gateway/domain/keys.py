"""API keys: how they are written, how one is recognised."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

MIN_SECRET: Final = 16
"""Characters. Digests are plain SHA-256, which only fits secrets that nobody can guess."""

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_SECRET: Final = re.compile(r"[!-+\--~]+")
"""Visible ASCII but the comma, which separates keys."""
_HASHED: Final = "sha256:"


class InvalidKeyError(ValueError):
    """A key that is not written as one; says where, never what."""


@dataclass(frozen=True, slots=True)
class Key:
    """An API key, known by its digest alone."""

    name: str
    digest: bytes = field(repr=False)
    """SHA-256 of the secret."""


def digest_of(secret: str) -> bytes:
    """Give the digest under which a secret is known."""
    # A header may hold bytes that are no text; they come as lone surrogates.
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


def read_keys(lines: Iterable[str]) -> tuple[Key, ...]:
    """Read `name:secret` or `name:sha256:<hex>`, one each; empty ones and `# …` are passed over.

    Several keys may have one name: all are valid, which is how a secret is replaced without a
    moment in which clients are locked out. Raises InvalidKeyError.
    """
    numbered = enumerate((line.strip() for line in lines), 1)
    return tuple(_read(number, line) for number, line in numbered if line and line[0] != "#")


def _read(number: int, line: str) -> Key:
    name, colon, secret = line.partition(":")
    if not colon or not _NAME.fullmatch(name):
        raise InvalidKeyError(
            f"key {number}: not name:secret with a name of letters, digits, . _ -"
        )
    if secret.startswith(_HASHED):
        digits = secret.removeprefix(_HASHED)
        if not re.fullmatch("[0-9a-fA-F]{64}", digits):
            raise InvalidKeyError(f"key {number} ({name}): sha256 has 64 hexadecimal digits")
        return Key(name, bytes.fromhex(digits))
    if len(secret) < MIN_SECRET or not _SECRET.fullmatch(secret):
        raise InvalidKeyError(
            f"key {number} ({name}): a secret has at least {MIN_SECRET} visible ASCII characters"
        )
    return Key(name, digest_of(secret))


def matching(keys: Iterable[Key], secret: str) -> Key | None:
    """Give the key of a secret; how long that takes tells nothing of the secrets."""
    digest, found = digest_of(secret), None
    for key in keys:
        if hmac.compare_digest(key.digest, digest):
            found = key
    return found
