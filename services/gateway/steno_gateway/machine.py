"""The memory that this process may still use."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from steno_gateway.domain.machine import group_memory, group_paths, machine_memory, tightest
from steno_gateway.domain.pressure import Memory

_FILES = {
    "": ("memory.max", "memory.current"),
    "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes"),
}
"""Limit and usage of a control group, version 2 and version 1."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A Linux machine; on any other there is nothing to read."""

    root: Path = Path("/")

    def memory(self) -> Memory | None:
        """Give what is left of the machine or of the container, whichever is less.

        None where the kernel does not say.
        """
        found = [machine_memory(self._read(self.root / "proc/meminfo"))]
        for controller, path in group_paths(self._read(self.root / "proc/self/cgroup")):
            mounted = self.root / "sys/fs/cgroup" / controller
            # Within a container its own group may be mounted as the root of all.
            for folder in (*_upwards(mounted, path), mounted):
                limit, usage = (self._read(folder / name) for name in _FILES[controller])
                found.append(group_memory(limit, usage, self._read(folder / "memory.stat")))
        return tightest([memory for memory in found if memory is not None])

    def _read(self, path: Path) -> str:
        try:
            return path.read_text()
        except OSError:
            return ""


def _upwards(mounted: Path, path: str) -> list[Path]:
    place = PurePosixPath(path)
    return [mounted / folder for folder in (place, *place.parents) if str(folder) != "."]
