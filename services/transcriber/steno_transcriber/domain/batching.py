"""Which waiting windows are decoded next."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from enum import IntEnum


class Urgency(IntEnum):
    """What goes before what: a final before all partials, a first word before a better one."""

    FINAL = 0
    FIRST_PARTIAL = 1
    PARTIAL = 2


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
    if not ordered or room.free < 1:
        return []
    head = ordered[0]
    final = head.urgency is Urgency.FINAL
    if not final and room.free <= room.reserve:
        return []
    of_session: dict[str, Ticket] = {}
    for ticket in ordered:
        if ticket.group == head.group:
            of_session.setdefault(ticket.session, ticket)
    return list(of_session.values())[: room.max_batch if final else room.max_partials]
