"""A history sorted by session."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final as Always

from bench.faults.history import (
    Acked,
    Begun,
    Completed,
    Expected,
    Failed,
    Final,
    Notice,
    Record,
    Saved,
    Sent,
    Spoke,
    Taken,
    Utterance,
)

SESSION_ID: Always = 36
"""Characters of a session's id."""

Told = Final | Utterance | Notice | Completed
"""What a reader was told."""


@dataclass(slots=True)
class Account:
    """All that is known of one session."""

    begun: Begun
    spoke: list[Spoke] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    acked: list[Acked] = field(default_factory=list)
    told: dict[int, list[Told]] = field(default_factory=lambda: defaultdict(list))
    """By reader."""
    failed: list[Failed] = field(default_factory=list)
    saved: Saved | None = None
    expected: Expected | None = None
    taken: list[str] = field(default_factory=list)
    """Ids of what was delivered, as it came."""

    @property
    def text(self) -> str:
        """What its client said."""
        return " ".join(each.text for each in self.spoke)

    @property
    def samples(self) -> int:
        """How long that was."""
        return sum(each.samples for each in self.spoke)

    def completed(self, reader: int = 0) -> Completed | None:
        """Give what a reader was told at the end."""
        return next((e for e in self.told[reader] if isinstance(e, Completed)), None)


def accounts(records: Iterable[Record]) -> dict[int, Account]:
    """Sort records by session."""
    kept = list(records)
    return _with_deliveries(_told(kept), kept)


def _told(records: Iterable[Record]) -> dict[int, Account]:
    found: dict[int, Account] = {}
    for record in records:
        match record:
            case Begun():
                found[record.session] = Account(record)
            case Spoke():
                found[record.session].spoke.append(record)
            case Sent():
                found[record.session].sent.append(record)
            case Acked():
                found[record.session].acked.append(record)
            case Final() | Utterance() | Notice() | Completed():
                found[record.session].told[record.reader].append(record)
            case Failed() if record.session in found:
                found[record.session].failed.append(record)
            case Saved():
                found[record.session].saved = record
            case Expected():
                found[record.session].expected = record
    return found


def _with_deliveries(found: dict[int, Account], records: Iterable[Record]) -> dict[int, Account]:
    # Apart: what is delivered may come before its client knows that the session exists.
    by_id = {account.begun.session_id: account for account in found.values()}
    for record in records:
        if isinstance(record, Taken) and (account := by_id.get(record.id[:SESSION_ID])):
            account.taken.append(record.id)
    return found
