"""Cores that an engine may use."""

import os
from pathlib import Path

import pytest

from steno_transcriber.engines.cores import usable_cores

ALL = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("said", "cores"),
    [
        ("max 100000\n", ALL),
        ("100000 100000\n", 1),
        ("50000 100000\n", 1),
        ("199000 100000\n", 1),
        (f"{ALL * 200_000} 100000\n", ALL),
        ("no such thing\n", ALL),
    ],
)
def test_a_container_has_the_whole_cores_of_its_quota(
    tmp_path: Path, said: str, cores: int
) -> None:
    quota = tmp_path / "cpu.max"
    quota.write_text(said)
    assert usable_cores(quota) == cores


def test_a_quota_of_two_cores_is_two_where_there_are_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    quota = tmp_path / "cpu.max"
    quota.write_text("250000 100000\n")
    assert usable_cores(quota) == 2


def test_without_a_quota_all_cores_are_there(tmp_path: Path) -> None:
    assert usable_cores(tmp_path / "nothing") == ALL
