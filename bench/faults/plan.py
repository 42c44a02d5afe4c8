"""Which faults a run does: a pure list, the same for the same seed."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal[
    "kill", "stop", "terminate", "crash", "drop", "clients", "scripts", "flush", "engine"
]
Side = Literal["before", "after"]

ROLES: Final = ("gateway", "transcriber", "aggregator", "notifier")

CRASHES: Final[Mapping[str, tuple[str, ...]]] = {
    "gateway": ("create", "attach", "append", "mark", "transition", "poll"),
    "transcriber": ("claim", "renew", "commit", "release", "beat"),
    "notifier": ("take", "settle", "retry"),
    "aggregator": ("close", "defer", "complete", "save", "mark", "remove"),
}
"""What a role does that a process may die of: scripts, and `save`, the files of a transcript."""

_OFTEN: Final = {"append": 20, "poll": 10, "commit": 6, "renew": 3, "beat": 3,
                "take": 10, "settle": 6, "retry": 3}  # fmt: skip
"""Of these the process dies at the n-th, up to so many; of others at the first."""

_KILLS: Final = {"gateway": 3, "transcriber": 3, "aggregator": 3, "notifier": 3, "redis": 3}
"""Kills between two steps of a process, in one deck."""


@dataclass(frozen=True, slots=True)
class Point:
    """A place where a process kills itself: right before or after the n-th of a step from now."""

    side: Side
    step: str
    nth: int


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; `which` picks one of the processes of its role, `share` a part of connections."""

    kind: Kind
    role: str = ""
    point: Point | None = None
    client_type: str = ""
    after: float = 0.0
    """Seconds since the fault before."""
    which: int = 0
    share: float = 1.0

    @property
    def label(self) -> str:
        """Name of its class."""
        if self.point is not None:
            return f"crash {self.role} {self.point.side} {self.point.step}"
        return " ".join(filter(None, (self.kind, self.role, self.client_type)))


def deck(*, flush: bool = False, engines: bool = False) -> list[Fault]:
    """Give every class of fault, kills between two steps several times.

    With several engines also that all transcribers of the first one are away for a while.
    """
    faults = [Fault("kill", role) for role, count in _KILLS.items() for _ in range(count)]
    faults += [Fault("stop", role) for role in (*ROLES, "redis")]
    faults += [Fault("terminate", role) for role in ROLES]
    faults += [
        Fault("crash", role, Point(side, step, 1))
        for role, steps in CRASHES.items()
        for step in steps
        for side in ("before", "after")
    ]
    faults += [Fault("drop"), Fault("drop"), Fault("scripts")]
    faults += [Fault("clients", client_type=kind) for kind in ("pubsub", "normal")]
    faults += [Fault("flush")] * flush
    return faults + [Fault("engine", "transcriber")] * (2 * engines)


def plan(
    seed: int, pause: float, *, flush: bool = False, engines: bool = False, only: Sequence[str] = ()
) -> Iterator[Fault]:
    """Give faults without end, `pause` seconds apart on average.

    Decks are dealt whole, each in an order of its own, so every class comes equally often. `only`:
    nothing but classes whose names begin so; raises ValueError if there is none.
    """
    chance = random.Random(seed)
    cards = deck(flush=flush, engines=engines)
    chosen = [card for card in cards if not only or card.label.startswith(tuple(only))]
    if not chosen:
        raise ValueError(f"no fault begins with any of {only}")
    while True:
        cards = [*chosen]
        chance.shuffle(cards)
        for card in cards:
            yield _drawn(card, chance, pause)


def _drawn(card: Fault, chance: random.Random, pause: float) -> Fault:
    point = card.point
    if point is not None:
        point = Point(point.side, point.step, chance.randint(1, _OFTEN.get(point.step, 1)))
    # Now and then right behind the one before: two parts are down together.
    after = 0.0 if chance.random() < 0.1 else chance.uniform(0.2, 2.0) * pause
    return Fault(card.kind, card.role, point, card.client_type, round(after, 3),
                 chance.randrange(1 << 16), round(chance.random(), 3))  # fmt: skip
