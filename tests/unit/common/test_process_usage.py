"""R2, CPU % and memory of a process, with those of its children."""

import multiprocessing
import os
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from steno_common import process
from steno_common.process import ProcessMeter, Usage, processor_seconds, resident

TICKS, PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Time that only the test moves."""
    at = {"monotonic": 100.0, "process_time": 7.0}
    moved = {name: partial(at.__getitem__, name) for name in ("monotonic", "process_time")}
    monkeypatch.setattr(process, "time", SimpleNamespace(**moved))
    return at


def machine(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def stat(user: int, system: int, name: str = "python") -> str:
    return f"42 ({name}) S 1 42 42 0 -1 4194560 100 0 0 0 {user} {system} 0 0 20 0 1 0 5 1 1"


def test_the_share_of_a_core_is_what_was_spent_since_the_look_before(
    tmp_path: Path, clock: dict[str, float]
) -> None:
    meter = ProcessMeter(machine(tmp_path, self__statm="5000 300 20 1 0 1 0\n"))
    assert meter.look() == Usage(0.0, 300 * PAGE)
    clock["monotonic"], clock["process_time"] = 102.0, 8.0
    assert meter.look() == Usage(50.0, 300 * PAGE)


def test_who_asks_again_within_a_second_is_told_the_same(
    tmp_path: Path, clock: dict[str, float]
) -> None:
    meter = ProcessMeter(machine(tmp_path, self__statm="5000 300 20 1 0 1 0\n"))
    meter.look()
    clock["monotonic"], clock["process_time"] = 101.0, 8.0
    assert meter.look().cpu_percent == 100.0
    clock["monotonic"], clock["process_time"] = 101.5, 9.0
    assert meter.look().cpu_percent == 100.0


def test_children_count_and_one_that_ends_takes_nothing_from_the_rest(
    tmp_path: Path, clock: dict[str, float]
) -> None:
    machine(tmp_path, self__statm="9 100 1", self__task__1__children="51 52 ")
    for child in ("51", "52"):
        machine(tmp_path, **{f"{child}__statm": "9 10 1", f"{child}__stat": stat(TICKS, TICKS)})
    meter = ProcessMeter(tmp_path)
    assert meter.look() == Usage(0.0, 120 * PAGE)
    machine(tmp_path, **{"51__stat": stat(3 * TICKS, 2 * TICKS)})
    clock["monotonic"] += 2
    assert meter.look() == Usage(150.0, 120 * PAGE)
    machine(tmp_path, self__task__1__children="52 ")
    clock["monotonic"] += 2
    assert meter.look() == Usage(0.0, 110 * PAGE)


def test_without_proc_the_time_of_the_process_is_known_alone(
    tmp_path: Path, clock: dict[str, float]
) -> None:
    meter = ProcessMeter(tmp_path / "none")
    assert meter.look() == Usage(0.0, 0)
    clock["monotonic"], clock["process_time"] = 110.0, 8.0
    assert meter.look() == Usage(10.0, 0)


def test_the_name_of_a_program_may_hold_anything() -> None:
    assert processor_seconds(stat(150, 50, "a) S 1 (b")) == 200 / TICKS
    assert processor_seconds("") == processor_seconds("42 (python) S 1") == 0.0
    assert resident("") == resident("17") == 0


def _spin(running: "multiprocessing.synchronize.Event") -> None:
    running.set()
    while True:
        pass


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc here")
def test_a_real_child_is_seen() -> None:
    context = multiprocessing.get_context("spawn")
    running = context.Event()
    child = context.Process(target=_spin, args=(running,), daemon=True)
    meter = ProcessMeter()
    child.start()
    try:
        assert running.wait(60)
        before = meter.look()
        until = time.monotonic() + 30
        while meter.look().cpu_percent < 1 and time.monotonic() < until:
            time.sleep(0.1)
        assert meter.look().cpu_percent >= 1
        assert before.memory_bytes > 5_000_000
    finally:
        child.kill()
        child.join()
