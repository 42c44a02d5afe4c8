"""Which waiting windows are decoded next."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Urgency(IntEnum):
    """What goes before what: a final before all else, a first word before a better one."""

    FINAL = 0
    FIRST_PARTIAL = 1
    EARLY_FINAL = 2
    """Its pause is not over yet: there is some time left."""
    PARTIAL = 3


FINALS: Final = frozenset({Urgency.FINAL, Urgency.EARLY_FINAL})


@dataclass(frozen=True, slots=True)
class Ticket:
    """One waiting window: its place in the order of arrival, whose it is, how urgent."""

    number: int
    session: str
    urgency: Urgency
    group: Hashable = None
    """Windows of equal groups can share a batch."""


@dataclass(frozen=True, slots=True)
class Room:
    """What the engine can still take."""

    max_batch: int
    """Windows in one batch."""
    max_partials: int
    """Windows in a batch without a final: bounds how long a final waits for a place."""
    free: int
    """Batches that can be started now."""
    reserve: int
    """Places that partials alone leave free."""


def choose(waiting: Iterable[Ticket], room: Room) -> list[Ticket]:
    """Give the next batch: the most urgent window, the oldest of equals, with all of its group.

    A session is in it once; the group's members follow in the order of urgency.
    """
    ordered = sorted(waiting, key=lambda ticket: (ticket.urgency, ticket.number))
    spare = room.free > room.reserve
    heads = [ticket for ticket in ordered if spare or ticket.urgency in FINALS]
    if not heads or room.free < 1:
        return []
    head = heads[0]
    of_session = {head.session: head}
    for ticket in ordered:
        if ticket.group == head.group:
            of_session.setdefault(ticket.session, ticket)
    most = room.max_batch if head.urgency in FINALS else room.max_partials
    return list(of_session.values())[:most]
