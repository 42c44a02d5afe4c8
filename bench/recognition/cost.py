"""What processes cost: seconds of CPU, peak memory, by role."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_SERVICES: Final = ("gateway", "transcriber", "aggregator", "notifier")
ROLES: Final = (*_SERVICES[:1], "redis", *_SERVICES[1:], "supervisor", "load")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one living process has used since its start."""

    role: str
    cpu_seconds: float
    peak_mib: float


def role_of(name: str, command: list[str]) -> str:
    """Tell a process of Steno by its name and command line."""
    for part in command:
        if part.endswith("bench.recognition.load"):
            return "load"
        for service in _SERVICES:
            if part == f"steno_{service}":
                return service
    # A server of Redis writes its state over its command line; its name stays.
    return "redis" if name.startswith(("redis", "valkey")) else "supervisor"


def family(pid: int) -> Iterator[int]:
    """Give a process with all that it started and what those started."""
    yield pid
    for task in (_PROC / str(pid) / "task").glob("*/children"):
        for child in task.read_text().split():
            yield from family(int(child))


def costs(roots: list[int]) -> dict[int, Cost]:
    """Read what the families of these processes have used; what has ended is left out."""
    found: dict[int, Cost] = {}
    for root in roots:
        try:
            for pid in family(root):
                found[pid] = _cost(_PROC / str(pid))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def _cost(folder: Path) -> Cost:
    command = (folder / "cmdline").read_text().split("\0")
    # The name in parentheses may hold anything; the times are the 14th and 15th field of all.
    name, _, rest = (folder / "stat").read_text().partition("(")[2].rpartition(")")
    after_name = rest.split()
    ticks = int(after_name[11]) + int(after_name[12])
    memory = dict(
        line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line
    )
    peak_kib = int(memory.get("VmHWM", "0 kB").split()[0])
    return Cost(role_of(name, command), ticks / os.sysconf("SC_CLK_TCK"), peak_kib / 1024)


def by_role(before: dict[int, Cost], after: dict[int, Cost]) -> dict[str, tuple[float, float]]:
    """Give CPU seconds between two readings with the sum of peak memories in MiB, for each role."""
    sums = dict.fromkeys(ROLES, (0.0, 0.0))
    for pid, cost in after.items():
        started = before[pid].cpu_seconds if pid in before else 0.0
        seconds, memory = sums[cost.role]
        sums[cost.role] = (seconds + cost.cpu_seconds - started, memory + cost.peak_mib)
    return sums
