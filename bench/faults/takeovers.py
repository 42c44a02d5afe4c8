"""Sessions that went on with another transcriber, because theirs was killed."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from signal import SIGKILL
from typing import Final

from bench.faults.account import Account, accounts
from bench.faults.history import Claimed, Notice, Process, Record

from steno_common.logs import session_tag

CHANGED: Final = "warned engine_changed"
"""What a client is told behind the first final of another engine."""


@dataclass(frozen=True, slots=True)
class Takeover:
    """One of them; times are seconds of the run."""

    tag: str
    """Of the session, in logs."""
    died: float
    claimed: float
    until: float
    """When the next transcriber claimed it, if one did."""


def takeovers(records: Sequence[Record]) -> Iterator[Takeover]:
    """Give each death of a transcriber with the next claim of each session it held."""
    claims: dict[str, list[Claimed]] = defaultdict(list)
    for record in records:
        if isinstance(record, Claimed):
            claims[record.tag].append(record)
    for each in claims.values():
        each.sort(key=lambda claim: claim.at)
    ends = {tag: _said_all(account) for tag, account in _by_tag(records).items()}
    for death in records:
        if not isinstance(death, Process) or death.role != "transcriber":
            continue
        if death.status != -SIGKILL:
            continue
        for tag, each in claims.items():
            place = bisect_right([claim.at for claim in each], death.at)
            if not 0 < place < len(each) or death.at > ends.get(tag, 0.0):
                continue
            if (each[place - 1].part, each[place - 1].start) == (death.part, death.start):
                later = each[place + 1].at if place + 1 < len(each) else inf
                yield Takeover(tag, death.at, each[place].at, later)


def first_words(records: Iterable[Record], taken: Iterable[Takeover]) -> Iterator[float]:
    """Give the seconds from each death until its client had text of another engine, if it was."""
    clients = _by_tag(records)
    for each in taken:
        for told in clients[each.tag].told[0]:
            if (
                isinstance(told, Notice)
                and told.said == CHANGED
                and each.claimed < told.at < each.until
            ):
                yield told.at - each.died
                break


def _by_tag(records: Iterable[Record]) -> dict[str, Account]:
    found = accounts(records).values()
    return {session_tag(account.begun.session_id): account for account in found}


def _said_all(account: Account) -> float:
    """Give the time from which on nothing of a session waits for a transcriber."""
    last = len(account.sent) and account.sent[-1].at
    return last if account.begun.manner == "whole" else 0.0
