"""Session tokens: rights in one session for some minutes, signed by a gateway, read by any."""

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from steno_gateway.domain.access import KEY_RIGHTS, TOKEN_RIGHTS, Caller
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.keys import Key, matching
from steno_gateway.domain.seals import Seal
from steno_gateway.domain.texts import of_text, to_text

PREFIX: Final = "st1."
"""Version of the format, by which a token is told from a key."""
CLOCK_SKEW_SECONDS: Final = 30
"""How far the clocks of two gateways may be apart."""
_SALT: Final = b"steno session token"

SessionRight = Literal["speak", "listen", "translate"]


class Grant(msgspec.Struct, frozen=True, array_like=True):
    """What a token says."""

    key: str
    """Name of the API key that it comes from."""
    session_id: str
    right: SessionRight
    expires: int
    """Seconds since 1970."""


_grants: Final = msgspec.json.Decoder(Grant)


class Keyring(msgspec.Struct, frozen=True):
    """All that can prove who somebody is."""

    keys: tuple[Key, ...]
    token_secret: bytes = b""
    """Signs tokens; empty: each token is signed with what its key's digest gives."""

    def caller(self, credential: str, now: float) -> Caller:
        """Say who shows an API key or a token at `now` (s since 1970).

        Raises ClientError `unauthorized`, `token_expired`.
        """
        if credential.startswith(PREFIX):
            grant = self._read(credential, now)
            return Caller(TOKEN_RIGHTS[grant.right], grant.key, grant.session_id)
        key = matching(self.keys, credential)
        if key is None:
            raise ClientError("unauthorized", "the API key is not known")
        return Caller(KEY_RIGHTS, key.name)

    def issue(self, grant: Grant) -> str | None:
        """Give the token of a grant; None if its key is there no more."""
        secrets = list(self._secrets(grant.key))
        if not secrets:
            return None
        body = to_text(msgspec.json.encode(grant))
        # Of two keys of one name the last is the one that stays.
        return f"{PREFIX}{body}.{to_text(_mac(secrets[-1], body))}"

    def seal(self, name: str) -> Seal:
        """Give the seal of whoever holds a key of this name; it opens what any key has closed."""
        others = [key.name for key in self.keys if key.name != name]
        return Seal(tuple(s for one in (*dict.fromkeys(others), name) for s in self._secrets(one)))

    def _read(self, token: str, now: float) -> Grant:
        body, _, signature = token.removeprefix(PREFIX).partition(".")
        try:
            grant = _grants.decode(of_text(body))
            mac = of_text(signature)
        except (ValueError, msgspec.DecodeError) as error:
            raise ClientError("unauthorized", "this is no token") from error
        if not any(hmac.compare_digest(mac, _mac(s, body)) for s in self._secrets(grant.key)):
            raise ClientError("unauthorized", "the token is not of these gateways")
        if now > grant.expires + CLOCK_SKEW_SECONDS:
            raise ClientError("token_expired", "the token has expired; ask for a new one")
        return grant

    def _secrets(self, name: str) -> Iterable[bytes]:
        """Give what may sign the tokens of a name: HKDF (RFC 5869) of the secret or a digest."""
        for key in self.keys:
            if key.name == name:
                extracted = hmac.digest(_SALT, self.token_secret or key.digest, hashlib.sha256)
                yield hmac.digest(extracted, name.encode() + b"\x01", hashlib.sha256)


def _mac(secret: bytes, body: str) -> bytes:
    return hmac.digest(secret, body.encode(), hashlib.sha256)
