"""The oracle: what must hold of every history, whatever was done to the processes."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from bench.faults.account import Account, accounts
from bench.faults.delivered import delivered
from bench.faults.history import (
    Calm,
    Completed,
    Failed,
    Fault,
    Left,
    Notice,
    Process,
    Record,
    Run,
    Utterance,
)
from bench.faults.history import Final as FinalTold
from bench.faults.transcribed import alone, clean, differ, words

SILENT_SECONDS: Final = 10.0
"""So long a session may say nothing after the last fault."""

_FIXED: Final = re.compile(r"steno:\{s\d+\}:(events|workers|seal)")
"""Keys that are bounded by the number of shards: doorbells, the list of transcribers."""

_FAULT_OF_A_SERVICE: Final = 70


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was not kept."""

    rule: str
    session: int | None
    what: str

    def __str__(self) -> str:
        where = "" if self.session is None else f" session {self.session}"
        return f"{self.rule}{where}: {self.what}"


def of_sessions(key: str) -> bool:
    """Say whether a key of Redis belongs to sessions, all of which should be over."""
    return _FIXED.fullmatch(key) is None


def check(records: Sequence[Record], silent_seconds: float = SILENT_SECONDS) -> list[Violation]:
    """Give every violation of a history."""
    found = [*_of_all(records)]
    run = next((record for record in records if isinstance(record, Run)), None)
    rules = RULES | ({"delivered": delivered} if run and run.deliveries else {})
    if run and not run.repeatable:
        del rules["clean run"]
    lost = any(isinstance(record, Fault) and record.label == FLUSH for record in records)
    for session, account in accounts(records).items():
        if account.begun.manner == "absent":
            continue
        for rule, broken in rules.items():
            if lost and rule in OF_ONE_LIFE:
                continue
            found += [Violation(rule, session, what) for what in broken(account)]
        calm = next((record.at for record in records if isinstance(record, Calm)), None)
        if calm is not None:
            silences = _silences(account, calm, silent_seconds)
            found += [Violation("silent", session, what) for what in silences]
    return found


def _of_all(records: Iterable[Record]) -> Iterator[Violation]:
    left = False
    for record in records:
        match record:
            case Failed():
                what = f"reader {record.reader} gave up: {record.error}"
                yield Violation("gave up", record.session, what)
            case Left():
                left = True
                for key in filter(of_sessions, record.keys):
                    yield Violation("left behind", None, key)
            case Process() if record.status == _FAULT_OF_A_SERVICE:
                yield Violation("fault", None, f"{record.part}.{record.start} ended by a fault")
    if not left:
        yield Violation("unfinished", None, "the history ends before the lifetime of its sessions")


def _acknowledged(account: Account) -> Iterator[str]:
    """What was acknowledged stays so, whoever the client talks to."""
    for before, after in pairwise(account.acked):
        if after.stored < before.stored or after.done < before.done:
            told = f"{before.stored} stored, {before.done} done"
            yield f"told {told}, then {after.stored} stored, {after.done} done"


def _accounting(account: Account) -> Iterator[str]:
    """Received is transcribed and silence, and all that was sent; in samples."""
    if account.saved is None:
        return
    counts = account.saved.counts
    if counts.received != counts.transcribed + counts.silence:
        yield f"{counts.received} received, {counts.transcribed + counts.silence} accounted for"
    if counts.received != account.samples:
        yield f"{account.samples} samples sent, {counts.received} received"
    if counts.finals != len(account.saved.finals):
        yield f"{counts.finals} finals counted, {len(account.saved.finals)} saved"
    if counts.utterances != len(account.saved.utterances):
        yield f"{counts.utterances} utterances counted, {len(account.saved.utterances)} saved"


def _views(account: Account) -> Iterator[str]:
    """Whoever was told anything was told what is saved."""
    if account.saved is None:
        return
    for reader in range(account.begun.listeners + 1):
        completed = account.completed(reader)
        told = account.told[reader]
        finals = [event.said for event in told if isinstance(event, FinalTold)]
        heard = [event.heard for event in told if isinstance(event, Utterance)]
        whole = reader > 0 or account.begun.manner == "whole"
        if completed is None and whole:
            yield f"reader {reader} was never told that the session is complete"
        if completed and (completed.text, completed.counts) != (
            account.saved.text, account.saved.counts,
        ):  # fmt: skip
            yield f"reader {reader} was told another text or accounting than is saved"
        # Who leaves has seen the beginning.
        finals_saved = account.saved.finals[: None if whole else len(finals)]
        heard_saved = account.saved.utterances[: None if whole else len(heard)]
        yield from differ(f"reader {reader}: final", finals, finals_saved, "what is saved")
        yield from differ(f"reader {reader}: utterance", heard, heard_saved, "what is saved")


def _numbers(account: Account) -> Iterator[str]:
    """Events are numbered strictly; one number is one event, whoever is told."""
    meant: dict[int, object] = {}
    for reader, told in account.told.items():
        last = 0
        for event in told:
            if event.number is None:
                continue
            if event.number <= last:
                yield f"reader {reader}: event {event.number} after {last}"
            last = event.number
            content = _content(event)
            if meant.setdefault(event.number, content) != content:
                yield f"reader {reader}: event {event.number} is another than others were told"


def _content(event: FinalTold | Utterance | Notice | Completed) -> object:
    match event:
        case FinalTold():
            return event.said
        case Utterance():
            return event.heard
        case Notice():
            return event.said
        case Completed():
            return event.text


def _silences(account: Account, calm: float, bound: float) -> Iterator[str]:
    completed = account.completed()
    if completed is None or completed.at < calm:
        return
    signs = [each.at for each in (*account.acked, *account.told[0]) if each.at > calm]
    last = max(calm, account.begun.at)
    for at in sorted(signs):
        if at > completed.at:
            break
        if at - last > bound:
            yield f"nothing for {at - last:.1f} s, {last - calm:.1f} s after the last fault"
        last = at


RULES: Final[dict[str, Callable[[Account], Iterator[str]]]] = {
    "words": words,
    "alone": alone,
    "acknowledged": _acknowledged,
    "accounting": _accounting,
    "clean run": clean,
    "views": _views,
    "numbers": _numbers,
}
"""What must hold of each session."""

FLUSH: Final = "flush"
"""The fault with which Redis loses everything."""
OF_ONE_LIFE: Final = {"acknowledged", "numbers"}
"""What goes back when it does: what is stored and not done, the numbers of statuses."""
