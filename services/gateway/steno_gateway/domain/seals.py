"""Seals on what goes through a client and comes back: nobody but a gateway can have written it."""

import contextlib
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.texts import of_text, to_text

MAC_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Seal:
    """Signs with the last secret, believes each; without any nothing is signed, all is believed."""

    secrets: tuple[bytes, ...] = field(default=(), repr=False)

    def close(self, label: str, data: bytes) -> str:
        """Give data as a text that opens under the same label alone."""
        mac = _mac(self.secrets[-1], label, data) if self.secrets else b""
        return to_text(mac + data)

    def open(self, label: str, text: str) -> bytes:
        """Give the data of a text; raises ClientError `invalid_checkpoint`."""
        try:
            sealed = of_text(text)
        except ValueError as error:
            raise ClientError("invalid_checkpoint", "the checkpoint is damaged") from error
        if not self.secrets:
            return sealed
        mac, data = sealed[:MAC_BYTES], sealed[MAC_BYTES:]
        if not any(hmac.compare_digest(mac, _mac(s, label, data)) for s in self.secrets):
            raise ClientError("invalid_checkpoint", "the checkpoint is not of these gateways")
        return data

    def hide(self, label: str, data: bytes) -> bytes:
        """Give data that only gateways can read; without any secret it is as it was.

        Encrypted by AES-SIV (RFC 5297), which needs no nonce: equal data looks equal.
        """
        return _cipher(self.secrets[-1]).encrypt(data, [label.encode()]) if self.secrets else data

    def reveal(self, label: str, hidden: bytes) -> bytes:
        """Give what was hidden under a label; raises ClientError `invalid_checkpoint`."""
        if not self.secrets:
            return hidden
        for secret in self.secrets:
            with contextlib.suppress(InvalidTag):
                return _cipher(secret).decrypt(hidden, [label.encode()])
        raise ClientError("invalid_checkpoint", "the checkpoint is not of these gateways")


def _cipher(secret: bytes) -> AESSIV:
    return AESSIV(hmac.digest(secret, b"hide\n", hashlib.sha512))


def _mac(secret: bytes, label: str, data: bytes) -> bytes:
    # No session token is signed over a line break: neither can stand for the other.
    said = b"checkpoint\n" + label.encode() + b"\n" + data
    return hmac.digest(secret, said, hashlib.sha256)[:MAC_BYTES]
