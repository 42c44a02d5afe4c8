"""Cores that an engine may use."""

import os
from pathlib import Path
from typing import Final

CPU_MAX: Final = Path("/sys/fs/cgroup/cpu.max")
"""What a container is allowed: microseconds of CPU, or `max`, in a period of so many."""


def usable_cores(quota: Path = CPU_MAX) -> int:
    """Give the cores of this machine that the process may run on, as far as its container may."""
    allowed = len(os.sched_getaffinity(0))
    try:
        used, period = quota.read_text().split()
        return max(1, min(allowed, int(used) // int(period)))
    except (OSError, ValueError):
        return allowed
