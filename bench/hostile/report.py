"""What an attack came to, as text."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bench.hostile.answers import FAULTS
from bench.hostile.attack import Outcome
from bench.hostile.honest import Honest
from bench.pipeline import row


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything that was seen in one run."""

    outcomes: Sequence[Outcome]
    calm: Honest
    """Without an attack."""
    under: Honest
    """Meanwhile."""
    resident_mb: tuple[float, float]
    """Of the gateway, before and after."""
    attack_seconds: float
    busy: Mapping[str, tuple[float, float]]
    """Part of one core that each process used, calm and under attack."""
    faults: Sequence[str]
    """Lines of logs."""
    alive: bool
    """Whether all services run and are ready in the end."""

    @property
    def wronged(self) -> list[Outcome]:
        """Connections that were told of a fault of the server."""
        return [outcome for outcome in self.outcomes if outcome.how in FAULTS]

    @property
    def passed(self) -> bool:
        """Whether only those who mean harm had any."""
        exact = self.calm.exact and self.under.exact
        return exact and self.alive and not self.faults and not self.wronged


def lines(measured: Measured) -> Iterator[str]:
    """Give the report."""
    kinds = Counter(outcome.kind for outcome in measured.outcomes)
    for kind, count in kinds.most_common():
        ends = Counter(each.how for each in measured.outcomes if each.kind == kind)
        told = ", ".join(f"{how} {number}" for how, number in ends.most_common(7))
        yield f"{kind:>12}{count:>7}  {told}"
    count, seconds = len(measured.outcomes), measured.attack_seconds
    yield f"{count} connections in {seconds:.0f} s, {count / seconds:.0f} a second"
    yield ""
    for name, what in (("acks", "chunk sent to stored"), ("finals", "segment sent to its final")):
        calm = row(what, getattr(measured.calm.seen, name))
        yield from _compared(what, calm, row(what, getattr(measured.under.seen, name)))
    for name, held in (("calm", measured.calm), ("under attack", measured.under)):
        told = f"{held.seen.completed} of {held.begun} completed, {held.seen.lost} samples lost"
        yield f"honest sessions, {name}: {told}, {held.refused} refused"
    before, after = measured.resident_mb
    yield f"gateway: RSS {before:.0f} MB before, {after:.0f} MB after"
    shares = (f"{name} {calm:.0%} -> {under:.0%}" for name, (calm, under) in measured.busy.items())
    yield f"of one core, calm and under attack: {', '.join(shares)}"
    yield f"all services alive and ready: {'yes' if measured.alive else 'NO'}"
    yield f"faults in logs: {len(measured.faults)}, told to clients: {len(measured.wronged)}"
    for outcome in measured.wronged[:5]:
        yield f"  seed {outcome.seed}, {outcome.kind}: {outcome.how}"
    for fault in measured.faults[:5]:
        yield f"  {fault[:2_000]}\n    open meanwhile: {suspects(fault, measured.outcomes)}"


def _compared(name: str, calm: dict[str, Any], under: dict[str, Any]) -> Iterator[str]:
    for part in ("p50", "p99"):
        if part in calm and part in under:
            change = under[part] / max(calm[part], 0.1) - 1
            told = f"{calm[part]:.0f} ms calm, {under[part]:.0f} ms under attack, {change:+.0%}"
            yield f"{name}, {part}: {told} ({calm['count']}, {under['count']} measured)"


def suspects(fault: str, outcomes: Sequence[Outcome]) -> str:
    """Name the connections that were open when a line was logged."""
    try:
        logged = datetime.fromisoformat(json.loads(fault.partition(": ")[2])["time"]).timestamp()
    except (ValueError, KeyError, TypeError):
        return "unknown"
    found = [each for each in outcomes if each.began - 0.01 <= logged <= each.ended + 0.1]
    return ", ".join(f"{each.seed} ({each.kind})" for each in found[:30])
