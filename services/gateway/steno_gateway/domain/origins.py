"""Which pages a browser may let talk to a gateway."""

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from steno_gateway.domain.errors import ClientError

ANY: Final = "*"
METHODS: Final = "GET, POST, DELETE"
REQUEST_HEADERS: Final = "Authorization, Content-Type, Last-Event-ID, traceparent, X-Api-Key"
PREFLIGHT_SECONDS: Final = 600
_PORTS: Final = {"http": 80, "https": 443}


def read_origins(text: str) -> frozenset[str]:
    """Read a comma-separated list of `https://host[:port]` or `*`; raises ValueError."""
    origins = frozenset(part.strip().lower() for part in text.split(",") if part.strip())
    for origin in origins - {ANY}:
        parts = urlsplit(origin)
        if not parts.hostname or origin != f"{parts.scheme}://{parts.netloc}":
            raise ValueError(origin)
    return origins


def check_origin(origin: str | None, host: str, allowed: Collection[str]) -> None:
    """Raise ClientError `origin_not_allowed` for a page from elsewhere that is not listed.

    Programs send no origin. `host` is the address that was asked for; its scheme is not compared,
    since a proxy in between may have taken TLS off.
    """
    if origin is None or ANY in allowed or origin.lower() in allowed:
        return
    if not _same_host(origin, host):
        raise ClientError("origin_not_allowed", "pages of this origin may not ask this server")


def _same_host(origin: str, host: str) -> bool:
    try:
        page, server = urlsplit(origin), urlsplit(f"{urlsplit(origin).scheme}://{host}")
        standard = _PORTS.get(page.scheme)
        ports = page.port or standard, server.port or standard
    except ValueError:
        return False
    named = bool(page.hostname) and standard is not None
    return named and page.hostname == server.hostname and ports[0] == ports[1]


def cors_headers(origin: str | None, allowed: Collection[str]) -> dict[str, str]:
    """Give the headers that let an allowed page read an answer."""
    if not allowed:
        return {}
    headers = {"Vary": "Origin"}
    if origin is not None and (ANY in allowed or origin.lower() in allowed):
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Expose-Headers"] = "Retry-After"
    return headers


def preflight_headers() -> dict[str, str]:
    """Give what a browser is told before it asks on behalf of a page."""
    return {
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": REQUEST_HEADERS,
        "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
    }
