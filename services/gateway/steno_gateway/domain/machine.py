"""What the kernel's files say of memory, of a machine as of a container."""

from typing import Final

from steno_gateway.domain.pressure import Memory

UNBOUNDED: Final = 1 << 60
"""Control groups of version 1 write about 2^63 bytes for no limit."""


def machine_memory(meminfo: str) -> Memory | None:
    """Read `/proc/meminfo`; None if it does not say what is available."""
    fields = dict(line.partition(":")[::2] for line in meminfo.splitlines())
    try:
        available, total = (
            int(fields[name].split()[0]) * 1024 for name in ("MemAvailable", "MemTotal")
        )
    except (KeyError, ValueError, IndexError):
        return None
    return Memory(available, total)


def group_memory(limit: str, usage: str, stat: str) -> Memory | None:
    """Read the files of a control group; None if it has no limit.

    Pages of files that were not used lately are given back before anything is refused.
    """
    try:
        most, used = int(limit), int(usage)
    except ValueError:
        return None  # "max"
    if most >= UNBOUNDED:
        return None
    counts = dict(line.split() for line in stat.splitlines() if len(line.split()) == 2)
    spare = counts.get("total_inactive_file", counts.get("inactive_file", "0"))
    return Memory(max(most - used + int(spare), 0), most)


def group_paths(cgroup: str) -> list[tuple[str, str]]:
    """Read `/proc/self/cgroup`: controller (empty for version 2) and path that bound memory."""
    found = []
    for line in cgroup.splitlines():
        _, controllers, path, *_ = (*line.split(":", 2), "", "")
        if controllers == "" or "memory" in controllers.split(","):
            found.append((controllers and "memory", path.strip("/")))
    return found


def tightest(memories: list[Memory]) -> Memory | None:
    """Give the least that is available with the smallest limit there is; None of nothing."""
    if not memories:
        return None
    return Memory(min(m.available for m in memories), min(m.limit for m in memories))
