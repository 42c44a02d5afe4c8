"""Figures of a history: how often each fault happened, what clients noticed of it."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from bench.faults.account import Account, accounts
from bench.faults.history import (
    Acked,
    Completed,
    Fault,
    Memory,
    Notice,
    Process,
    Record,
    Run,
    Taken,
)
from bench.faults.takeovers import first_words, takeovers

_AROUND_SECONDS: Final = 5.0
"""So long after the death of Redis an outage may begin to show."""

_SETTLED_SECONDS: Final = 60.0
"""A process grows while it warms up: its slope counts from here."""

_LONG_ENOUGH_SECONDS: Final = 180.0
"""A slope over less says nothing."""

_SIGKILL: Final = -9


@dataclass(frozen=True, slots=True)
class Spread:
    """Values of one measure, in seconds."""

    name: str
    values: tuple[float, ...]

    def at(self, share: float) -> float:
        """Give the value that so large a share does not exceed."""
        ordered = sorted(self.values)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    def __str__(self) -> str:
        figures = "".join(f"{1000 * self.at(share):9.0f}" for share in (0.5, 0.99, 1.0))
        return f"{self.name:44}{len(self.values):8}{figures}"


HEAD: Final = f"{'(ms)':44}{'count':>8}{'p50':>9}{'p99':>9}{'max':>9}"


def faults(records: Iterable[Record]) -> Counter[str]:
    """Count the faults that happened, by class."""
    return Counter(record.label for record in records if isinstance(record, Fault))


def deaths(records: Iterable[Record]) -> Counter[str]:
    """Count the processes that died by SIGKILL, by role."""
    return Counter(
        record.role
        for record in records
        if isinstance(record, Process) and record.status == _SIGKILL
    )


def spreads(records: Sequence[Record]) -> list[Spread]:
    """Give all that clients noticed."""
    found = accounts(records).values()
    interruptions = [gap for account in found for gap in _interruptions(account)]
    waits = [wait for account in found for wait in _waits(account)]
    gaps = [gap for account in found for gap in _longest_gap(account)]
    taken = list(takeovers(records))
    return [
        Spread("transcriber dead -> its session claimed again",
               tuple(each.claimed - each.died for each in taken)),
        Spread("transcriber dead -> text of another engine", tuple(first_words(records, taken))),
        Spread("Redis dead -> longest time without any ack", tuple(_outages(records))),
        Spread("socket lost -> session_created on the next", tuple(interruptions)),
        Spread("chunk handed over -> acknowledged as stored", tuple(waits)),
        Spread("longest gap between acks of a session", tuple(gaps)),
    ]  # fmt: skip


def _outages(records: Sequence[Record]) -> Iterator[float]:
    acks = sorted(record.at for record in records if isinstance(record, Acked))
    for death in records:
        if isinstance(death, Process) and death.role == "redis" and death.status == _SIGKILL:
            first = max(0, bisect_left(acks, death.at) - 1)
            near = [at for at in acks[first:] if at < death.at + _AROUND_SECONDS]
            gaps = [after - before for before, after in pairwise(near)]
            if gaps:
                yield max(gaps)


def _interruptions(account: Account) -> Iterator[float]:
    since: float | None = None
    for told in account.told[0]:
        if isinstance(told, Notice) and told.number is None:
            if told.said == "reconnecting":
                since = told.at if since is None else since
            elif since is not None:
                yield told.at - since
                since = None


def _waits(account: Account) -> Iterator[float]:
    acked = iter(account.acked)
    current = next(acked, None)
    for sent in account.sent:
        while current is not None and current.stored < sent.chunk:
            current = next(acked, None)
        if current is None:
            return
        yield max(0.0, current.at - sent.at)


def _longest_gap(account: Account) -> Iterator[float]:
    """Of a session that was acknowledged at all; while it had something to send."""
    last = account.sent[-1].at if account.sent else 0.0
    times = [each.at for each in account.acked if each.at <= last]
    if len(times) > 1:
        yield max(after - before for before, after in pairwise(times))


def memory(records: Iterable[Record]) -> Mapping[str, tuple[float, float | None]]:
    """Give MiB at the most and the slope in MiB an hour, by role.

    The slope is that of processes that have settled; None where none has lived for long.
    """
    series: dict[tuple[str, str, int], list[Memory]] = defaultdict(list)
    for record in records:
        if isinstance(record, Memory):
            series[record.role, record.part, record.start].append(record)
    found: dict[str, tuple[float, float | None]] = {}
    for role in sorted({role for role, _, _ in series}):
        own = [samples for (each, _, _), samples in series.items() if each == role]
        most = max(sample.mib for samples in own for sample in samples)
        found[role] = most, _slope(own)
    return found


def _slope(series: Iterable[Sequence[Memory]]) -> float | None:
    """Give the common slope of several lines, each with a level of its own."""
    above = below = 0.0
    for samples in series:
        late = [each for each in samples if each.at - samples[0].at >= _SETTLED_SECONDS]
        if not late or late[-1].at - late[0].at < _LONG_ENOUGH_SECONDS:
            continue
        middle = sum(each.at for each in late) / len(late)
        level = sum(each.mib for each in late) / len(late)
        above += sum((each.at - middle) * (each.mib - level) for each in late)
        below += sum((each.at - middle) ** 2 for each in late)
    return 3600 * above / below if below else None


def report(records: Sequence[Record]) -> Iterator[str]:
    """Give the lines for people."""
    run = next((record for record in records if isinstance(record, Run)), None)
    if run is not None:
        yield f"{run.command}, seed {run.seed}, lease {run.lease:g} s"
    yield f"{'fault':40}{'times':>8}"
    for label, count in sorted(faults(records).items()):
        yield f"{label:40}{count:8}"
    died = deaths(records)
    yield f"processes killed: {died.total()} ({_listed(died)})"
    yield _sessions(records)
    if run is not None and run.deliveries:
        yield _deliveries(records)
    yield HEAD
    yield from map(str, spreads(records))
    for role, (most, slope) in memory(records).items():
        grows = "" if slope is None else f", {slope:+.1f} MiB an hour"
        yield f"memory of {role}: {most:.0f} MiB at most{grows}"


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def _deliveries(records: Sequence[Record]) -> str:
    taken = [record.id for record in records if isinstance(record, Taken)]
    return f"deliveries: {len(taken)} taken, {len(taken) - len(set(taken))} of them again"


def _sessions(records: Sequence[Record]) -> str:
    found = accounts(records).values()
    manners = Counter(account.begun.manner for account in found)
    listeners = sum(isinstance(r, Completed) and r.reader > 0 for r in records)
    saved = [account for account in found if account.saved is not None]
    chunks = sum(spoke.chunks for account in saved for spoke in account.spoke)
    return (
        f"sessions: {_listed(Counter(manners))}; transcripts {len(saved)}; listeners to the end "
        f"{listeners}; chunks acknowledged and found in text {chunks}"
    )
