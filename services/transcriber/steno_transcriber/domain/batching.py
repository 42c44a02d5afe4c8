"""Which waiting windows are decoded next."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ticket:
    """One waiting window: its place in the order of arrival, whose it is, how urgent."""

    number: int
    session: str
    final: bool


@dataclass(frozen=True, slots=True)
class Room:
    """What the engine can still take."""

    max_batch: int
    """Windows in one batch."""
    free: int
    """Batches that can be started now."""
    concurrency: int
    """Batches that can run at once."""


def choose(waiting: Iterable[Ticket], room: Room) -> list[Ticket]:
    """Give the next batch: finals in order, then partials in order, no session twice.

    Partials alone never take the last free place, so that a final need not wait for them; an
    engine with only one place has none to spare.
    """
    if room.free < 1:
        return []
    ordered = sorted(waiting, key=lambda ticket: (not ticket.final, ticket.number))
    if ordered and not ordered[0].final and room.free == 1 < room.concurrency:
        return []
    first_of_session: dict[str, Ticket] = {}
    for ticket in ordered:
        first_of_session.setdefault(ticket.session, ticket)
    return list(first_of_session.values())[: room.max_batch]
