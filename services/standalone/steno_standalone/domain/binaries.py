"""Which Redis server program is fit to hold Steno's work log."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

# The scripts use the command set of this version.
MINIMUM_VERSION = (6, 2, 0)

_VERSION = re.compile(r"\bv=(\d+)\.(\d+)\.(\d+)")


class Version(NamedTuple):
    """A server's version number."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, slots=True)
class Binary:
    """A server program that starts: its origin in words, its path, its version."""

    origin: str
    path: str
    version: Version

    @property
    def title(self) -> str:
        """Program and version as people name them."""
        return f"{self.path.rsplit('/', 1)[-1]} {self.version}"


def parse_version(banner: str) -> Version | None:
    """Read the answer of `redis-server --version` or `valkey-server --version`."""
    found = _VERSION.search(banner)
    return Version(*(int(part) for part in found.groups())) if found else None


def usable(binaries: Iterable[Binary]) -> list[Binary]:
    """Keep what is new enough, in the order given: the first is the one to run."""
    return [binary for binary in binaries if binary.version >= MINIMUM_VERSION]
