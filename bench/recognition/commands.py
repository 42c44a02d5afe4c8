"""What the command can do: one run, saturation, a ladder, the limit alone."""

import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from bench.installation import NotRunningError
from bench.recognition import machine
from bench.recognition.context import Subject, prepare
from bench.recognition.fixture import understands_speech
from bench.recognition.ladder import climb, in_time
from bench.recognition.limit import Limit, Trial, limits, splits
from bench.recognition.measure import Measured, measure
from bench.recognition.offline import device_of, transcribe_offline
from bench.recognition.options import Asked
from bench.recognition.quality import word_faults
from bench.recognition.report import STEPS, figures, limit_table, step, table
from bench.recognition.steno import private_steno
from bench.recognition.windows import Group, groups_of

_BATCHES: Final = (8, 16, 32)
_POINTS: Final = {"full": 1.0, "fit": 2.0}
"""Word errors beyond those of offline decoding that a kind of window may cost, in per cent."""

Answer = tuple[dict[str, Any], bool]
"""Everything for the file; whether all was right."""


async def run(asked: Asked, folder: Path) -> Answer:
    """Run one load."""
    subject = prepare(asked, asked.models[0], folder)
    measured = await _measured(asked, subject)
    return _head(asked, subject) | figures(measured), not measured.faults


async def saturate(asked: Asked, folder: Path) -> Answer:
    """Run a load that is too much, then the limit with the same windows."""
    subject = prepare(asked, asked.models[0], folder)
    measured = await _measured(asked, subject)
    found = _head(asked, subject) | figures(measured)
    groups = groups_of(measured.page)
    if not groups:
        return found, False
    mean = max(1, round(found["worker"]["mean_batch"]))
    reached = _limits(asked, subject, groups, sorted({mean, *_BATCHES}))
    shares = {}
    for name, candidates in (
        ("same batch", [each for each in reached if each.batch == mean]),
        ("best", reached),
    ):
        best = max(candidates, key=lambda each: each.windows_per_second)
        decoded = found["worker"]["windows_per_second"]
        shares[name] = decoded / best.windows_per_second
        print(
            f"{decoded:.1f} windows/s are {shares[name]:.0%} of {best.windows_per_second:.1f}, "
            f"the limit ({name}: {best.split.inter} x {best.split.intra} threads, "
            f"batches of {best.batch})"
        )
    return found | _limit_figures(groups, reached) | {"share_of_limit": shares}, not measured.faults


async def limit(asked: Asked, folder: Path) -> Answer:
    """Measure the machine's limit alone."""
    subject = prepare(asked, asked.models[0], folder)
    reached = _limits(asked, subject, asked.groups, (1, *_BATCHES))
    return _head(asked, subject) | _limit_figures(asked.groups, reached), True


async def ladder(asked: Asked, folder: Path) -> Answer:
    """Find the most sessions for each model."""
    found = {}
    for name in asked.models:
        subject = prepare(asked, name, folder)
        print(f"{name}\n{STEPS}", flush=True)
        steps, most = _Steps(asked, subject), 0
        try:
            most = await climb(asked.load.sessions, asked.most, steps.serves)
        except NotRunningError as error:
            # What the other models reached is worth keeping.
            print(f"{name}: {error}", file=sys.stderr)
        print(f"{name}: {most} sessions", flush=True)
        runs = [figures(each) for each in steps.runs]
        found[name] = _head(asked, subject) | {"most_sessions": most, "runs": runs}
    return found, all(each["most_sessions"] for each in found.values())


COMMANDS: Final[Mapping[str, Callable[[Asked, Path], Coroutine[Any, Any, Answer]]]] = {
    "run": run,
    "saturate": saturate,
    "ladder": ladder,
    "limit": limit,
}


@dataclass(frozen=True, slots=True)
class _Steps:
    """Runs of different size, each on an installation of its own: none inherits a backlog."""

    asked: Asked
    subject: Subject
    runs: list[Measured] = field(default_factory=list)

    async def serves(self, sessions: int) -> bool:
        """Run so many sessions; say whether all were served in time."""
        load = replace(self.asked.load, sessions=sessions)
        async with private_steno(self.subject.environment, self.asked.workers) as steno:
            measured = await measure(steno, load, self.subject.clips, None)
        self.runs.append(measured)
        served = in_time(measured)
        print(step(measured, in_time=served), flush=True)
        return served


async def _measured(asked: Asked, subject: Subject) -> Measured:
    offline = None
    if understands_speech(subject.model):
        offline = transcribe_offline(subject.model, subject.clips, subject.settings)
    async with private_steno(subject.environment, asked.workers) as steno:
        measured = await measure(steno, asked.load, subject.clips, offline)
    if measured.quality is not None:
        wrong = word_faults(measured.quality, _POINTS.get(asked.window, _POINTS["fit"]))
        measured = replace(measured, faults=(*measured.faults, *wrong))
    print("\n".join(table(measured)))
    return measured


def _limits(
    asked: Asked, subject: Subject, groups: Sequence[Group], batches: Sequence[int]
) -> list[Limit]:
    trial = Trial(subject.model, subject.clips, groups, subject.settings, asked.limit_seconds)
    tried = splits(device_of(subject.settings)[0], machine.cores())
    reached = list(limits(trial, tried, batches))
    print("\n".join(limit_table(reached)))
    return reached


def _limit_figures(groups: Sequence[Group], reached: Sequence[Limit]) -> dict[str, Any]:
    return {
        "limit_windows": [asdict(each) for each in groups],
        "limit": [asdict(each) for each in reached],
    }


def _head(asked: Asked, subject: Subject) -> dict[str, Any]:
    """Give what figures of a model depend on."""
    return {
        "asked": asdict(asked),
        "environment": subject.environment,
        "machine": machine.describe(subject.settings),
    }
