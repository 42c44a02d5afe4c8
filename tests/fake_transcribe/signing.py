"""Version 4 signatures: of a request, then of each event behind it."""

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self
from urllib.parse import quote

from tests.fake_transcribe.errors import ServiceError, bad_request
from tests.fake_transcribe.eventstream import Message, Timestamp, encode_header

ALGORITHM: Final = "AWS4-HMAC-SHA256"
SKEW_SECONDS: Final = 300.0
_AUTHORIZATION: Final = re.compile(
    ALGORITHM + r" Credential=(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[a-z0-9-]+)/transcribe/"
    r"aws4_request, *SignedHeaders=(?P<signed>[^,]+), *Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key; with a token it is a temporary one."""

    key_id: str
    secret: str
    token: str | None = None


DEFAULT: Final = Credentials("AKIDEXAMPLE", "secret")


@dataclass(frozen=True, slots=True)
class Request:
    """What is signed of an HTTP request; header names are lower case, `host` is among them."""

    method: str
    path: str
    """With the query."""
    headers: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, fields: Sequence[tuple[str | bytes, str | bytes]]) -> Self:
        """Read the fields of HTTP/2; what is signed as `host` may be its authority there."""
        headers = [(str(name), str(value)) for name, value in fields]
        pseudo = {name: value for name, value in headers if name.startswith(":")}
        plain = [(name, value) for name, value in headers if name not in pseudo]
        if all(name != "host" for name, _ in plain):
            plain.append(("host", pseudo.get(":authority", "")))
        return cls(pseudo.get(":method", ""), pseudo.get(":path", ""), tuple(plain))

    def header(self, name: str) -> str | None:
        """Give the value of a header, joined where it came more than once."""
        values = [" ".join(value.split()) for key, value in self.headers if key == name]
        return ",".join(values) if values else None


class Chain:
    """Verifies the events of a stream, each by the signature before it."""

    def __init__(self, secret: str, region: str, seed: str) -> None:
        self._secret = secret
        self._region = region
        self._prior = seed

    def opened(self, envelope: Message, now: float) -> bytes:
        """Give what a signed envelope holds. Raises ServiceError."""
        date, signature = envelope.headers.get(":date"), envelope.headers.get(":chunk-signature")
        if not isinstance(date, Timestamp) or not isinstance(signature, bytes):
            raise bad_request("An event is not signed.")
        when = _written(date.milliseconds // 1000)
        to_sign = "\n".join((
            f"{ALGORITHM}-PAYLOAD",
            when,
            f"{when[:8]}/{self._region}/transcribe/aws4_request",
            self._prior,
            _hash(encode_header(":date", date)),
            _hash(envelope.payload),
        ))  # fmt: skip
        expected = _signature(self._secret, when[:8], self._region, to_sign)
        if not hmac.compare_digest(expected, signature.hex()):
            raise bad_request("The signature of an event does not match.")
        if reason := _expired(when, now):
            raise bad_request(reason)
        self._prior = expected
        return envelope.payload


def verify(request: Request, known: Iterable[Credentials], now: float) -> Chain:
    """Verify a request; gives the chain that its signature begins. Raises ServiceError."""
    parts = _AUTHORIZATION.fullmatch(request.header("authorization") or "")
    date = request.header("x-amz-date") or ""
    if parts is None or not re.fullmatch(r"\d{8}T\d{6}Z", date):
        raise _unrecognised("The request is not signed as it must be.")
    token = request.header("x-amz-security-token")
    for credentials in known:
        if (credentials.key_id, credentials.token) == (parts["key"], token):
            break
    else:
        raise _unrecognised("The security token included in the request is invalid.")
    signed = parts["signed"].split(";")
    _check_signed(request, signed)
    scope = f"{parts['day']}/{parts['region']}/transcribe/aws4_request"
    to_sign = "\n".join((ALGORITHM, date, scope, _hash(canonical(request, signed).encode())))
    expected = _signature(credentials.secret, parts["day"], parts["region"], to_sign)
    if not hmac.compare_digest(expected, parts["signature"]):
        raise _unrecognised("The signature of the request does not match.")
    if reason := _expired(date, now):
        raise ServiceError("InvalidSignatureException", reason)
    return Chain(credentials.secret, parts["region"], expected)


def canonical(request: Request, signed: Iterable[str]) -> str:
    """Give the request in the form that is hashed and signed."""
    path, _, query = request.path.partition("?")
    lines = [f"{name}:{request.header(name) or ''}" for name in signed]
    return "\n".join((
        request.method,
        quote(path, safe="/-_.~"),
        "&".join(sorted(query.split("&"))) if query else "",
        *lines,
        "",
        ";".join(signed),
        request.header("x-amz-content-sha256") or _hash(b""),
    ))  # fmt: skip


def _check_signed(request: Request, signed: list[str]) -> None:
    """Refuse a request with something that must be signed but is not."""
    needed = {"host"} | {
        name
        for name, _ in request.headers
        if name.startswith("x-amz") and name != "x-amzn-trace-id"
    }
    if signed != sorted(signed) or not needed <= set(signed):
        raise _unrecognised("Not all that must be signed is.")


def _signature(secret: str, day: str, region: str, to_sign: str) -> str:
    key = f"AWS4{secret}".encode()
    for step in (day, region, "transcribe", "aws4_request", to_sign):
        key = hmac.digest(key, step.encode(), "sha256")
    return key.hex()


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _written(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%SZ")


def _expired(when: str, now: float) -> str | None:
    """Say why a date is too far from now, if it is."""
    date = datetime.strptime(when, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    if date < now - SKEW_SECONDS:
        return f"Signature expired: {when} is more than 5 min. before {_written(now)}"
    if date > now + SKEW_SECONDS:
        return f"Signature not yet current: {when} is more than 5 min. after {_written(now)}"
    return None


def _unrecognised(message: str) -> ServiceError:
    return ServiceError("UnrecognizedClientException", message)
