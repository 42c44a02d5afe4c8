"""What is left is that of the machine or of the container, whichever is less."""

from pathlib import Path

from steno_gateway.domain.pressure import Memory
from steno_gateway.machine import Machine

MIB = 1 << 20
MEMINFO = "MemTotal:       16777216 kB\nMemFree:  1 kB\nMemAvailable:    8388608 kB\n"
WHOLE = Memory(8192 * MIB, 16384 * MIB)


def write(root: Path, **files: object) -> Machine:
    """Make the files of a kernel; `__` in a name stands for `/`."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return Machine(root)


def group(root: Path, folder: str, limit: object, usage: int, stat: str = "",
          version: int = 2) -> None:  # fmt: skip
    place = root / "sys/fs/cgroup" / folder
    place.mkdir(parents=True, exist_ok=True)
    names = ("memory.max", "memory.current") if version == 2 else (
        "memory.limit_in_bytes", "memory.usage_in_bytes",
    )  # fmt: skip
    (place / names[0]).write_text(f"{limit}\n")
    (place / names[1]).write_text(f"{usage}\n")
    (place / "memory.stat").write_text(stat)


def test_a_machine_without_control_groups_has_what_is_available(tmp_path: Path) -> None:
    assert write(tmp_path, proc__meminfo=MEMINFO).memory() == WHOLE


def test_where_no_kernel_tells_nothing_is_known(tmp_path: Path) -> None:
    assert Machine(tmp_path).memory() is None
    assert write(tmp_path, proc__meminfo="MemTotal: 5 kB").memory() is None
    assert write(tmp_path, proc__meminfo="MemAvailable: much\nMemTotal:").memory() is None


def test_a_container_has_what_its_limit_leaves_and_pages_that_can_go(tmp_path: Path) -> None:
    machine = write(tmp_path, proc__meminfo=MEMINFO, proc__self__cgroup="0::/")
    stat = f"anon {300 * MIB}\ninactive_file {50 * MIB}\n"
    group(tmp_path, "", 512 * MIB, 400 * MIB, stat)
    assert machine.memory() == Memory(162 * MIB, 512 * MIB)


def test_a_container_without_a_limit_has_what_the_machine_has(tmp_path: Path) -> None:
    machine = write(tmp_path, proc__meminfo=MEMINFO, proc__self__cgroup="0::/")
    group(tmp_path, "", "max", 400 * MIB)
    assert machine.memory() == WHOLE


def test_a_machine_with_less_than_the_limit_leaves_has_that(tmp_path: Path) -> None:
    machine = write(tmp_path, proc__meminfo=MEMINFO, proc__self__cgroup="0::/")
    group(tmp_path, "", 12_288 * MIB, 1_024 * MIB)
    assert machine.memory() == Memory(8_192 * MIB, 12_288 * MIB)


def test_a_group_above_may_have_less_left_than_the_own(tmp_path: Path) -> None:
    machine = write(tmp_path, proc__meminfo=MEMINFO, proc__self__cgroup="0::/a.slice/b.service")
    group(tmp_path, "a.slice/b.service", 1_024 * MIB, 100 * MIB)
    group(tmp_path, "a.slice", 2_048 * MIB, 2_000 * MIB)
    assert machine.memory() == Memory(48 * MIB, 1_024 * MIB)


def test_groups_of_version_1_count_as_well(tmp_path: Path) -> None:
    lines = "12:pids:/x\n4:memory:/docker/abc\n1:name=systemd:/\n"
    machine = write(tmp_path, proc__meminfo=MEMINFO, proc__self__cgroup=lines)
    # Within the container its own group is mounted as the root, under another path than told.
    group(tmp_path, "memory", 512 * MIB, 500 * MIB, f"total_inactive_file {MIB}\n", version=1)
    assert machine.memory() == Memory(13 * MIB, 512 * MIB)


def test_groups_of_version_1_write_a_great_number_for_no_limit(tmp_path: Path) -> None:
    machine = write(tmp_path, proc__meminfo=MEMINFO, proc__self__cgroup="4:memory:/\n")
    group(tmp_path, "memory", 9_223_372_036_854_771_712, 500 * MIB, version=1)
    assert machine.memory() == WHOLE


def test_a_container_that_uses_more_than_its_limit_has_nothing_left(tmp_path: Path) -> None:
    machine = write(tmp_path, proc__meminfo=MEMINFO, proc__self__cgroup="0::/")
    group(tmp_path, "", 512 * MIB, 513 * MIB)
    assert machine.memory() == Memory(0, 512 * MIB)
