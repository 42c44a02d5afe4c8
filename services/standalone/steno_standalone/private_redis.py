"""A Redis of this installation's own, reached through a socket in its own folder."""

import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from steno_standalone.child import Program
from steno_standalone.domain.binaries import Binary
from steno_standalone.domain.folders import PREFIX, Place, choose_place, is_stale, prefix
from steno_standalone.domain.redis_config import config_text, limits, socket_url

_LOCK = "lock"


@dataclass(frozen=True, slots=True)
class PrivateRedis:
    """The program to run with the address it will have; both hold its password."""

    program: Program = field(repr=False)
    url: str = field(repr=False)
    folder: str


@contextmanager
def private_redis(binary: Binary) -> Iterator[PrivateRedis]:
    """Prepare a private Redis; its folder, with all it stored, goes at the end.

    The server may be started any number of times meanwhile and finds its data each time.
    """
    memory, disk = _places()
    for place in (*memory, disk):
        _remove_stale_folders(Path(place.path))
    place = choose_place(memory, disk)
    password = secrets.token_hex(32)
    with _locked_folder(place.path) as folder:
        # The configuration goes through standard input, so no file or process list shows the
        # password.
        text = config_text(folder, password, limits(_total_memory(), place.room))
        program = Program(
            name="redis",
            argv=(binary.path, "-"),
            environment={"PATH": os.defpath, "LC_ALL": "C"},
            stdin=text.encode(),
            quiet=True,
        )
        yield PrivateRedis(program, socket_url(folder, password), folder)


@contextmanager
def _locked_folder(place: str) -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix=prefix(os.getpid()), dir=place)
    try:
        # Locked before it has its name: whoever sees the lock file sees it locked.
        unnamed = Path(folder, _LOCK + ".new")
        with unnamed.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            unnamed.rename(Path(folder, _LOCK))
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_stale_folders(place: Path) -> None:
    for folder in place.glob(PREFIX + "*"):
        with suppress(FileNotFoundError, PermissionError):
            ours = folder.lstat().st_uid == os.getuid() and not folder.is_symlink()
            if ours and is_stale(folder.name, _locked(folder / _LOCK), _alive):
                shutil.rmtree(folder, ignore_errors=True)


def _locked(file: Path) -> bool | None:
    """Whether a living process holds the lock; None where there is no lock file."""
    try:
        with file.open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return True
    return False


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _places() -> tuple[list[Place], Place]:
    """Directories in memory, best first, then the one for temporary files."""
    memory = ["/dev/shm", os.environ.get("XDG_RUNTIME_DIR", "")]  # noqa: S108 - mode 700 inside
    usable = [path for path in memory if path and os.access(path, os.W_OK | os.X_OK)]
    return [_place(path) for path in usable], _place(tempfile.gettempdir())


def _place(path: str) -> Place:
    return Place(path, shutil.disk_usage(path).free)


def _total_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
