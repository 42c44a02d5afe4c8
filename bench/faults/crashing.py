"""Crash points inside a process of a service: it kills itself at a named step.

Nothing in the services knows of this: what they call is wrapped in the processes of a run. A point
is a file in a folder of the part; the process that dies of it leaves the file under another name.
"""

import os
import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.faults.plan import Side

from steno_common.archive import Archive
from steno_common.store.link import Link
from steno_common.store.scripts import Call

FOLDER_VARIABLE: Final = "BENCH_CRASH_FOLDER"

_SCRIPTS: Final = "_run"
"""The method of a link that every script goes through."""

_ARMED, _FIRED = ".armed", ".fired"


@dataclass(slots=True)
class CrashPoints:
    """The points of one process."""

    folder: str
    _passed: Counter[str] = field(default_factory=Counter)

    def pass_by(self, side: Side, step: str) -> None:
        """Die if a point says so: its file is named NUMBER-SIDE-STEP-NTH.armed."""
        with os.scandir(self.folder) as entries:
            names = [entry.name for entry in entries if entry.name.endswith(_ARMED)]
        for name in names:
            _, at, what, nth = name.removesuffix(_ARMED).split("-")
            if (at, what) == (side, step):
                self._passed[name] += 1
                if self._passed[name] >= int(nth):
                    path = Path(self.folder, name)
                    path.rename(path.with_suffix(_FIRED))
                    os.kill(os.getpid(), signal.SIGKILL)


def install(points: CrashPoints) -> None:
    """Wrap what the points stand around, in this process."""
    run, save = getattr(Link, _SCRIPTS), Archive.save

    async def passing_run(link: Link, calls: Sequence[Call], **how: Any) -> Any:
        steps = [call.script for call in calls]
        for step in steps:
            points.pass_by("before", step)
        answers = await run(link, calls, **how)
        for step in steps:
            points.pass_by("after", step)
        return answers

    def passing_save(
        archive: Archive, session_id: str, created_ms: int, files: Mapping[str, bytes]
    ) -> str:
        points.pass_by("before", "save")
        name = save(archive, session_id, created_ms, files)
        points.pass_by("after", "save")
        return name

    setattr(Link, _SCRIPTS, passing_run)
    Archive.save = passing_save  # type: ignore[assignment,method-assign]


def arm(folder: Path, number: int, side: Side, step: str, nth: int) -> Path:
    """Place a point for whichever process runs the part; it holds until it is taken away."""
    path = folder / f"{number}-{side}-{step}-{nth}{_ARMED}"
    path.touch()
    return path


def disarm(path: Path) -> None:
    """Take a point away, unless a process has died of it."""
    path.unlink(missing_ok=True)


def fired(folder: Path) -> list[str]:
    """Give what processes have died of since the last call, as SIDE STEP."""
    found = []
    for path in sorted(folder.glob(f"*{_FIRED}")):
        _, side, step, _ = path.stem.split("-")
        found.append(f"{side} {step}")
        path.unlink()
    return found
