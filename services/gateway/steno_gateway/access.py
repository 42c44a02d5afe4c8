"""Who a request is from, as the settings of this gateway tell."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Protocol

from aiohttp import web

from steno_common.errors import SettingsError
from steno_common.public import Json
from steno_gateway.domain.access import ALL_RIGHTS, EVENT_STREAM, Caller
from steno_gateway.domain.addresses import Network, client_address, counted_as, read_networks
from steno_gateway.domain.credentials import (
    credential_of,
    of_event_source,
    offered_subprotocols,
)
from steno_gateway.domain.keys import InvalidKeyError, Key, read_keys
from steno_gateway.domain.names import read_id
from steno_gateway.domain.origins import read_origins
from steno_gateway.domain.seals import Seal
from steno_gateway.domain.tokens import Grant, Keyring, SessionRight
from steno_gateway.settings import GatewaySettings

log = logging.getLogger(__name__)

MIN_TOKEN_SECRET: Final = 32
"""Characters."""
CALLER: Final = web.RequestKey("caller", Caller)


@dataclass(slots=True)
class Access:
    """Keys, origins, proxies: whom this gateway lets in."""

    keyring: Keyring | None
    """None: there are no keys, so anyone may do everything."""
    origins: frozenset[str] = frozenset()
    proxies: tuple[Network, ...] = ()
    token_seconds: float = 600.0
    now: Callable[[], float] = field(default=time.time)
    """Seconds since 1970, since tokens go from gateway to gateway."""

    def caller(self, request: web.Request) -> Caller:
        """Say who asks; raises ClientError for a key or token that is not good."""
        address = self.address(request)
        if self.keyring is None:
            return Caller(ALL_RIGHTS, address=address)
        offered = offered_subprotocols(request.headers.get("Sec-WebSocket-Protocol", ""))
        credential = credential_of(request.headers, offered)
        resource = request.match_info.route.resource
        if credential is None and resource is not None and resource.canonical == EVENT_STREAM:
            credential = of_event_source(request.query.get("token"))
        if credential is None:
            return Caller(address=address)
        return replace(self.keyring.caller(credential, self.now()), address=address)

    def address(self, request: web.Request) -> str:
        """Give the address that a request counts under."""
        forwarded = request.headers.getall("X-Forwarded-For", [])
        return counted_as(client_address(request.remote or "", forwarded, self.proxies))

    def token_fields(self, caller: Caller, session_id: str, right: SessionRight) -> Json:
        """Give a new token of a session as fields of a message; none where there are no keys."""
        if self.keyring is None or caller.key is None:
            return {}
        seconds = round(self.token_seconds)
        grant = Grant(caller.key, session_id, right, int(self.now()) + seconds)
        token = self.keyring.issue(grant)
        return {} if token is None else {"token": token, "token_expires_in": seconds}

    def seal(self, caller: Caller) -> Seal:
        """Give what signs the checkpoints of a caller; where there are no keys nothing does."""
        if self.keyring is None or caller.key is None:
            return Seal()
        return self.keyring.seal(caller.key)


class Told(Protocol):
    """Somebody who can be told something."""

    async def send(self, message: Json) -> object:
        """Tell a message of the native protocol."""


@dataclass(frozen=True, slots=True)
class Pass:
    """The way back to a session, for a caller that came with a token."""

    access: Access
    caller: Caller
    session_id: str

    def fields(self) -> Json:
        """Give a token that is newer than the one the caller came with, as fields of a message."""
        if self.caller.session_id is None:
            return {}
        right: SessionRight = "speak" if "speak" in self.caller.rights else "listen"
        return self.access.token_fields(self.caller, self.session_id, right)

    async def renew(self, client: Told) -> None:
        """Hand out a new token whenever half the time of the last one is over."""
        while True:
            await asyncio.sleep(self.access.token_seconds / 2)
            if fields := self.fields():
                await client.send({"type": "server:token", **fields})


def session_named(request: web.Request) -> str | None:
    """Give the session in a request's path as tokens name it; None if there is none."""
    named = request.match_info.get("session_id")
    return None if named is None else read_id(named) or named


def read_keyring(settings: GatewaySettings) -> Keyring | None:
    """Read the keys; None if none are configured. Raises InvalidKeyError, OSError, UnicodeError.

    A file that is configured and holds no key lets nobody in.
    """
    keys: tuple[Key, ...] = read_keys(settings.api_keys.split(","))
    if settings.api_keys_file:
        keys += read_keys(Path(settings.api_keys_file).read_text().splitlines())
    elif not keys:
        return None
    return Keyring(keys, settings.token_secret.encode())


def open_access(settings: GatewaySettings) -> Access:
    """Read all that decides who may come in; raises SettingsError with every fault."""
    faults: list[str] = []
    keyring, origins = None, frozenset[str]()
    proxies: tuple[Network, ...] = ()
    try:
        keyring = read_keyring(settings)
    except InvalidKeyError as error:
        faults.append(f"STENO_API_KEYS, STENO_API_KEYS_FILE: {error}")
    except (OSError, UnicodeError) as error:
        faults.append(f"STENO_API_KEYS_FILE: {getattr(error, 'strerror', None) or 'no text'}")
    if 0 < len(settings.token_secret) < MIN_TOKEN_SECRET:
        faults.append(f"STENO_TOKEN_SECRET: fewer than {MIN_TOKEN_SECRET} characters")
    if settings.token_seconds < 1:
        faults.append("STENO_TOKEN_SECONDS: less than 1")
    try:
        origins = read_origins(settings.allowed_origins)
    except ValueError:
        faults.append("STENO_ALLOWED_ORIGINS: not origins like https://host[:port], or *")
    try:
        proxies = read_networks(settings.trusted_proxies)
    except ValueError:
        faults.append("STENO_TRUSTED_PROXIES: not addresses or networks")
    if faults:
        raise SettingsError(faults)
    return Access(keyring, origins, proxies, settings.token_seconds)


def reread_keys(settings: GatewaySettings, access: Access) -> None:
    """Take the keys as they are now; keys that cannot be read leave the former ones valid."""
    try:
        access.keyring = read_keyring(settings)
    except (InvalidKeyError, OSError, UnicodeError) as error:
        log.error("the API keys cannot be read; the former ones stay valid",
                  extra={"reason": str(error)})  # fmt: skip
        return
    keys = access.keyring.keys if access.keyring is not None else ()
    log.info("API keys read again", extra={"count": len(keys)})


def announce(access: Access) -> None:
    """Say once who may come in."""
    if access.keyring is None:
        log.warning("no API keys are set: anyone may transcribe, read and delete transcripts")
    else:
        log.info("API keys are needed", extra={"count": len(access.keyring.keys)})
