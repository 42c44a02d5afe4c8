"""Names, places and lifetime of the private folder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_standalone.domain.folders import Place, choose_place, is_stale, owner, prefix
from steno_standalone.domain.redis_config import MIB

SHM = Place("/dev/shm", 2048 * MIB)
RUNTIME = Place("/run/user/1000", 2048 * MIB)
DISK = Place("/tmp", 2048 * MIB)


@given(st.integers(1, 2**22), st.text("abcdefghijklmnopqrstuvwxyz0123456789_", min_size=1))
def test_a_name_tells_its_owner(pid: int, suffix: str) -> None:
    assert owner(prefix(pid) + suffix) == pid


@given(st.text())
def test_any_name_has_an_owner_or_none(name: str) -> None:
    assert owner(name) is None or name.startswith("steno-redis-")


@pytest.mark.parametrize("name", ["steno-redis-", "steno-redis-x-1", "steno-redis-12", "12-x", ""])
def test_other_names_are_nobodys(name: str) -> None:
    assert owner(name) is None
    assert not is_stale(name, locked=False, alive=lambda pid: False)


@pytest.mark.parametrize(
    ("locked", "alive", "stale"),
    [
        (True, True, False),
        (True, False, False),  # its owner lives in another process namespace
        (False, True, True),  # its owner died and the id was given away again
        (False, False, True),
        (None, True, False),  # it is being made
        (None, False, True),
    ],
)
def test_the_lock_decides_and_without_one_the_process_id(
    locked: bool | None, alive: bool, stale: bool
) -> None:
    assert is_stale("steno-redis-7-x", locked, lambda pid: alive) is stale


def test_memory_comes_before_disk() -> None:
    assert choose_place([SHM, RUNTIME], DISK) == SHM


def test_memory_without_room_is_passed_over() -> None:
    assert choose_place([Place("/dev/shm", 64 * MIB), RUNTIME], DISK) == RUNTIME
    assert choose_place([Place("/dev/shm", 64 * MIB)], DISK) == DISK


def test_a_place_whose_socket_would_have_too_long_a_name_is_passed_over() -> None:
    long = "/run/" + "x" * 80
    assert choose_place([Place(long, 2048 * MIB)], DISK) == DISK
    assert choose_place([], Place(long, 7)) == Place("/tmp", 7)
