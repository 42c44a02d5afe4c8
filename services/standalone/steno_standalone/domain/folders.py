"""Names, places and lifetime of the private Redis's folder."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from steno_standalone.domain.redis_config import MIB, socket_path

PREFIX = "steno-redis-"

# A socket's address is a fixed array in every kernel; the smallest (BSD, macOS) holds 104 bytes.
SOCKET_PATH_LIMIT = 103
SMALLEST_ROOM = 512 * MIB
_RANDOM_SUFFIX = 8


@dataclass(frozen=True, slots=True)
class Place:
    """A directory that may hold the folder, with its free room in bytes."""

    path: str
    room: int


def prefix(pid: int) -> str:
    """Begin the name of a folder that belongs to process `pid`."""
    return f"{PREFIX}{pid}-"


def owner(name: str) -> int | None:
    """Process id in a folder's name; None when the name is not one of ours."""
    pid, dash, _ = name.removeprefix(PREFIX).partition("-")
    return int(pid) if name.startswith(PREFIX) and dash and pid.isdecimal() else None


def is_stale(name: str, locked: bool | None, alive: Callable[[int], bool]) -> bool:
    """Whether nobody uses the folder any more.

    Its owner holds a lock on it for life, which no reuse of process ids can fake; only in the
    moment before the lock is there (`locked` is None) does the process id decide.
    """
    pid = owner(name)
    if pid is None:
        return False
    return not alive(pid) if locked is None else not locked


def choose_place(memory: Iterable[Place], disk: Place) -> Place:
    """Prefer memory, where audio never reaches a disk, if it has room for the log."""
    for place in memory:
        if place.room >= SMALLEST_ROOM and _fits(place.path):
            return place
    return disk if _fits(disk.path) else Place("/tmp", disk.room)  # noqa: S108 - made with mode 700


def _fits(path: str) -> bool:
    longest = socket_path(f"{path}/{prefix(2**22)}{'x' * _RANDOM_SUFFIX}")
    return len(longest.encode()) <= SOCKET_PATH_LIMIT
