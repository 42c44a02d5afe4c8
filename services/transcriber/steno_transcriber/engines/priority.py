"""Priority of the threads that compute: they give way to those that feed them.

A batch takes milliseconds, an event loop microseconds. Where both want a core, the loop should not
wait for the batch: words would come late, though none would be decoded sooner.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

NICE: Final = 5

_TASKS: Final = Path("/proc/self/task")


@contextmanager
def computing_threads() -> Iterator[None]:
    """Lower the priority of all threads that are started meanwhile, where the system lets us."""
    before = _threads()
    yield
    for thread in _threads() - before:
        try:
            os.setpriority(os.PRIO_PROCESS, thread, NICE)
        except (ProcessLookupError, PermissionError):
            continue


def _threads() -> set[int]:
    return {int(entry.name) for entry in _TASKS.iterdir()} if _TASKS.is_dir() else set()
