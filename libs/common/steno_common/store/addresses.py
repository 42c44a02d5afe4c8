"""Where the Redis of an installation is, as STENO_REDIS_URL says.

    redis://host:6379/0, rediss://…, unix://…        one, or several with commas between: shard i
                                                     lives on the (i mod n)-th
    redis+sentinel://[user:password@]host:port,…/service[/db]     the master of a service
    redis+cluster://[user:password@]host:port,…                   a Cluster, by some of its nodes

`rediss+…` speaks TLS to every server. What follows a `?` belongs to the connections, but for
`sentinel_username`, `sentinel_password`: of the Sentinels, which take no others.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from redis.asyncio.connection import parse_url

from steno_common.errors import SettingsError

SENTINEL_PORT: Final = 26379
REDIS_PORT: Final = 6379

Host = tuple[str, int]
"""Name or address, port."""

_BETWEEN_URLS: Final = re.compile(r",\s*(?=[a-z+]+://)")
_SENTINELS_OWN: Final = {"sentinel_username": "username", "sentinel_password": "password"}


@dataclass(frozen=True, slots=True)
class Access:
    """How every server of one installation is spoken to."""

    scheme: str
    credentials: str = field(default="", repr=False)
    """`user:password@`, or nothing; as in a URL."""
    db: int = 0
    query: str = field(default="", repr=False)

    def url(self, host: Host) -> str:
        """Give the address of one server."""
        name = f"[{host[0]}]" if ":" in host[0] else host[0]
        tail = f"?{self.query}" if self.query else ""
        return f"{self.scheme}://{self.credentials}{name}:{host[1]}/{self.db}{tail}"


@dataclass(frozen=True, slots=True)
class Several:
    """One or several Redis that know nothing of each other."""

    urls: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Service:
    """The master that Sentinels watch."""

    access: Access
    sentinels: tuple[Host, ...]
    name: str
    sentinel_options: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """User name and password of the Sentinels, if they want any."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Redis Cluster, by some of its nodes."""

    access: Access
    seeds: tuple[Host, ...]


Place = Several | Service | Cluster


def parse(text: str) -> Place:
    """Read STENO_REDIS_URL; raises SettingsError, in whose words no password appears."""
    urls = _BETWEEN_URLS.split(text.strip())
    form = urls[0].partition("://")[0]
    kinds: dict[str, Callable[[str], Place]] = {"sentinel": _service, "cluster": _cluster}
    kind = kinds.get(form.partition("+")[2]) if form.startswith(("redis+", "rediss+")) else None
    try:
        if kind is None:
            return _several(urls)
        if len(urls) > 1:
            raise ValueError(f"{form}:// stands alone, with commas between hosts only")
        return kind(text.strip())
    except ValueError as error:
        raise SettingsError([f"STENO_REDIS_URL: {error}"]) from None


def title(text: str) -> str:
    """Name a place for people: no password, no user."""
    place = parse(text)
    if isinstance(place, Several):
        return ", ".join(_where(url) for url in place.urls)
    hosts = place.sentinels if isinstance(place, Service) else place.seeds
    kind = f"Sentinel service {place.name}" if isinstance(place, Service) else "Cluster"
    return f"{kind} by " + ", ".join(f"{name}:{port}" for name, port in hosts)


def _where(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path
    return f"{parts.hostname}:{parts.port or REDIS_PORT}"


def _several(urls: Sequence[str]) -> Several:
    for url in urls:
        scheme, _, rest = url.partition("://")
        if scheme not in {"redis", "rediss", "unix"}:
            raise ValueError(
                "not one of redis://, rediss://, unix://, redis+sentinel://, redis+cluster://"
            )
        _check(url)
        if scheme == "unix" and not urlsplit(url).path:
            raise ValueError("unix:// without the path of a socket")
        if scheme != "unix" and not urlsplit(url).hostname:
            raise ValueError(f"{scheme}:// without a host")
        if scheme != "unix" and not re.fullmatch(r"/?\d*", urlsplit(url).path):
            raise ValueError(f"{scheme}://…/ is followed by the number of a database")
        if "," in rest.rpartition("@")[2].partition("?")[0]:
            raise ValueError("each of several Redis is a whole URL, with commas between")
    if len({_where(url) for url in urls}) < len(urls):
        raise ValueError("the same Redis twice")
    return Several(tuple(urls))


def _check(url: str) -> None:
    try:
        parse_url(url)
    except ValueError:
        # The text of the error may quote what stands before the host.
        raise ValueError("a URL whose port or options cannot be read") from None


def _service(text: str) -> Service:
    scheme, credentials, hosts, path, query = _parts(text, SENTINEL_PORT)
    name, _, db = path.partition("/")
    if not name:
        raise ValueError(f"{scheme}+sentinel://host:port,… is followed by /service")
    if not re.fullmatch(r"\d*", db):
        raise ValueError(f"{scheme}+sentinel://…/service/ is followed by the number of a database")
    own = tuple((_SENTINELS_OWN[key], value) for key, value in query if key in _SENTINELS_OWN)
    rest = urlencode([(key, value) for key, value in query if key not in _SENTINELS_OWN])
    access = Access(scheme, credentials, int(db or 0), rest)
    _check(access.url(hosts[0]))
    return Service(access, hosts, unquote(name), own)


def _cluster(text: str) -> Cluster:
    scheme, credentials, hosts, path, query = _parts(text, REDIS_PORT)
    if path not in {"", "0"}:
        raise ValueError("a Cluster has no database but 0")
    access = Access(scheme, credentials, 0, urlencode(query))
    _check(access.url(hosts[0]))
    return Cluster(access, hosts)


def _parts(
    text: str, default_port: int
) -> tuple[str, str, tuple[Host, ...], str, list[tuple[str, str]]]:
    """Give scheme, credentials, hosts, path, options; several hosts are no URL of the standard."""
    form, _, rest = text.partition("://")
    place, _, query = rest.partition("?")
    authority, _, path = place.partition("/")
    user, at, names = authority.rpartition("@")
    hosts = tuple(_host(name.strip(), default_port) for name in names.split(","))
    return form.partition("+")[0], user + at, hosts, path.rstrip("/"), parse_qsl(query)


def _host(text: str, default_port: int) -> Host:
    found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+)(?::(\d{1,5}))?", text)
    if not found or not 0 < int(found[2] or default_port) < 65536:
        raise ValueError("a host is a name, or name:port")
    return found[1].strip("[]"), int(found[2] or default_port)
