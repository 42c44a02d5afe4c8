"""The private folder on a real file system."""

import os
import subprocess
from pathlib import Path

import pytest

from steno_standalone.domain.binaries import Binary, Version
from steno_standalone.private_redis import private_redis

BINARY = Binary("on PATH", "/usr/bin/redis-server", Version(7, 0, 15))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place of the test's own beside the machine's."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def dead_process() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_the_folder_is_the_owners_alone_and_goes_at_the_end(place: Path) -> None:
    with private_redis(BINARY) as private:
        folder = Path(private.folder)
        assert folder.stat().st_mode & 0o777 == 0o700
        assert folder.name.startswith(f"steno-redis-{os.getpid()}-")
        (folder / "appendonly.aof").write_text("audio")
    assert not folder.exists()


def test_folders_of_the_dead_go_at_the_next_start(place: Path) -> None:
    dead = place / f"steno-redis-{dead_process()}-x"
    dead.mkdir()
    (dead / "appendonly.aof").write_text("audio")
    unlocked = place / f"steno-redis-{os.getpid()}-x"
    unlocked.mkdir()
    (unlocked / "lock").touch()
    foreign = place / "steno-redis-notes"
    foreign.mkdir()
    with private_redis(BINARY):
        assert not dead.exists()
        assert not unlocked.exists()
        assert foreign.exists()


def test_a_folder_in_use_stays() -> None:
    with private_redis(BINARY) as first, private_redis(BINARY) as second:
        assert Path(first.folder).exists()
        assert first.folder != second.folder
        assert first.url != second.url


def test_a_link_is_never_followed(place: Path) -> None:
    target = place / "precious"
    target.mkdir()
    (target / "file").touch()
    (place / f"steno-redis-{dead_process()}-x").symlink_to(target)
    with private_redis(BINARY):
        assert (target / "file").exists()


def test_the_password_shows_in_no_representation() -> None:
    with private_redis(BINARY) as private:
        password = private.url.split("@")[0].removeprefix("unix://:")
        assert len(password) == 64
        assert password not in repr(private)
        assert password not in " ".join(private.program.argv)
