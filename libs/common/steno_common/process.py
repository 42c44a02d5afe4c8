"""What this process takes of its machine, with the processes that it has started."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")

LOOK_SECONDS: Final = 0.9
"""Whoever asks earlier is told the same again."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Share of the machine that a process takes."""

    cpu_percent: float = 0.0
    """Of one core: a process with threads or children may take more than 100."""
    memory_bytes: int = 0
    """Resident, its own and its children's; what they share counts for each."""


@dataclass(slots=True)
class ProcessMeter:
    """Looks at this process; where there is no `/proc`, processor time is that of itself alone."""

    proc: Path = PROC
    _seconds: float = 0.0
    _at: float | None = None
    _usage: Usage = Usage()

    def look(self) -> Usage:
        """Give what it takes, as of the last second; the CPU since the look before, first 0."""
        now, seconds = time.monotonic(), time.process_time()
        if self._at is not None and now - self._at < LOOK_SECONDS:
            return self._usage
        memory = resident(self._read("self/statm"))
        for child in self._children():
            seconds += processor_seconds(self._read(f"{child}/stat"))
            memory += resident(self._read(f"{child}/statm"))
        percent = 0.0
        if self._at is not None:
            # A child that ended takes its time with it.
            spent = max(0.0, seconds - self._seconds)
            percent = 100 * spent / (now - self._at)
        self._seconds, self._at = seconds, now
        self._usage = Usage(round(percent, 1), memory)
        return self._usage

    def _children(self) -> list[str]:
        return " ".join(
            self._read(f"self/task/{task.name}/children") for task in self._tasks()
        ).split()

    def _tasks(self) -> list[Path]:
        try:
            return list((self.proc / "self/task").iterdir())
        except OSError:
            return []

    def _read(self, name: str) -> str:
        try:
            return (self.proc / name).read_text()
        except OSError:
            return ""


def processor_seconds(stat: str) -> float:
    """Read `/proc/<pid>/stat`: time in user and in system mode, 0 of nothing."""
    # The name of the program comes first, in parentheses, and may hold anything.
    fields = stat.rpartition(")")[2].split()
    if len(fields) < 13:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(statm: str) -> int:
    """Read `/proc/<pid>/statm`: bytes in memory, 0 of nothing."""
    fields = statm.split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") if len(fields) > 1 else 0
