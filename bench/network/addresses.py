"""Where a proxy's traffic goes, read from the addresses that programs are given."""

import asyncio
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qs, urlsplit, urlunsplit

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_PORTS = {"redis": 6379, "http": 80, "ws": 80}


@dataclass(frozen=True, slots=True)
class Target:
    """A server on TCP, or on a Unix socket where `path` is given."""

    url: str = field(repr=False)
    """As it was given; may carry a password."""
    host: str = ""
    port: int = 0
    path: str = ""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read `host:port`, `redis://`, `http://`, `ws://` or `unix:///path`.

        Raises ValueError for an address that names no server.
        """
        parts = urlsplit(url if "://" in url else f"tcp://{url}")
        if parts.scheme == "unix":
            return cls(url, path=parts.path)
        port = parts.port or _PORTS.get(parts.scheme)
        if not parts.hostname or not port:
            raise ValueError("an address is host:port, or a URL with a host, or unix:///path")
        return cls(url, parts.hostname, port)

    async def connect(self) -> Streams:
        """Open a connection; raises OSError."""
        if self.path:
            return await asyncio.open_unix_connection(self.path)
        return await asyncio.open_connection(self.host, self.port)

    def by_way_of(self, host: str, port: int) -> str:
        """Give the URL under which a client reaches this server through another address.

        The credentials and the path are kept; the URL of a Redis on a Unix socket becomes one
        on TCP with the same database.
        """
        if "://" not in self.url:
            return f"{host}:{port}"
        parts = urlsplit(self.url)
        credentials, at, _ = parts.netloc.rpartition("@")
        scheme, path, query = parts.scheme, parts.path, parts.query
        if self.path:
            database = parse_qs(query).get("db", ["0"])[0]
            scheme, path, query = "redis", f"/{database}", ""
        return urlunsplit((scheme, f"{credentials}{at}{host}:{port}", path, query, ""))
