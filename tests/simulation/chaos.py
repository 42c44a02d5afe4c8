"""What goes wrong in one simulation: all of it is drawn from the seed."""

import random
from dataclasses import dataclass, field
from typing import Literal

Fate = Literal["well", "refused", "reply lost", "late"]
"""`late`: what the caller has given up is done after all."""

LATE_SECONDS = (2.0, 4.0)

Kind = Literal[
    "kill gateway", "kill worker", "kill aggregator", "kill notifier",
    "drain gateway", "drain worker", "freeze worker", "freeze gateway", "freeze aggregator",
    "freeze client", "freeze store", "store clock jumps", "store fills", "lose connections",
    "engine fails",
]  # fmt: skip


@dataclass(frozen=True)
class Incident:
    """Something that happens once, at a moment."""

    at: float
    kind: Kind
    draw: int
    """Decides the rest."""


RATES = (0.0, 0.0, 0.0, 0.02, 0.1)
"""How often calls fail; most simulations know only some kinds of failure."""

KINDS: tuple[tuple[Kind, int], ...] = (
    ("kill gateway", 4), ("kill worker", 4), ("kill aggregator", 4), ("kill notifier", 1),
    ("drain gateway", 2), ("drain worker", 2),
    ("freeze worker", 5), ("freeze gateway", 4), ("freeze aggregator", 2), ("freeze client", 2),
    ("freeze store", 2), ("store clock jumps", 4), ("store fills", 2), ("lose connections", 5),
    ("engine fails", 1),
)  # fmt: skip
"""With their weights."""


@dataclass
class Chaos:
    """The faults of one seed; behind `until` all is well, but for doorbells."""

    seed: object
    until: float = field(init=False)
    incidents: list[Incident] = field(init=False)
    refused: float = field(init=False)
    reply_lost: float = field(init=False)
    doorbells_lost: float = field(init=False)
    late: float = field(init=False)
    save_fails: float = field(init=False)
    latency: float = field(init=False)
    """Seconds that a message is on its way at most, most of the time."""
    calm: bool = False
    """Nothing goes wrong but doorbells."""
    draw: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.draw = draw = random.Random(f"{self.seed} chaos")
        self.until = draw.uniform(1.0, draw.choice((3.0, 8.0)))
        self.refused, self.reply_lost = draw.choice(RATES), draw.choice(RATES)
        self.late = draw.choice((0.0, 0.0, 0.0, 0.03))
        self.doorbells_lost = draw.choice((0.0, 0.0, 0.3, 1.0))
        self.save_fails = draw.choice((0.0, 0.0, 0.5))
        self.latency = draw.choice((0.001, 0.005, 0.05))
        kinds, weights = zip(*draw.sample(KINDS, draw.randint(1, 6)), strict=True)
        count = draw.choice((0, 1, 2, 4, 8))
        if draw.random() < 0.1:
            self.refused = self.reply_lost = self.late = self.save_fails = 0.0
            count, self.calm = 0, True
        chosen = draw.choices(kinds, weights, k=count)
        self.incidents = sorted(
            (
                Incident(draw.uniform(0.1, self.until), kind, draw.getrandbits(32))
                for kind in chosen
            ),
            key=lambda incident: incident.at,
        )

    def fate(self, now: float) -> Fate:
        """Decide what becomes of one call of the store."""
        if now > self.until:
            return "well"
        fates: tuple[tuple[Fate, float], ...] = (
            ("refused", self.refused), ("reply lost", self.reply_lost), ("late", self.late),
        )  # fmt: skip
        chance = self.draw.random()
        for fate, rate in fates:
            if chance < rate:
                return fate
            chance -= rate
        return "well"

    def delay(self) -> float:
        """Give the time that one message takes."""
        longest = 10 * self.latency if self.draw.random() < 0.02 else self.latency
        return self.draw.uniform(0, longest)

    def silent(self) -> bool:
        """Decide whether one doorbell is lost."""
        return self.draw.random() < self.doorbells_lost

    def cannot_save(self, now: float) -> bool:
        """Decide whether one write of a transcript fails."""
        return now < self.until and self.draw.random() < self.save_fails


class Calm(Chaos):
    """Nothing goes wrong by itself, and everything takes the same time."""

    def fate(self, now: float) -> Fate:
        return "well"

    def delay(self) -> float:
        return 0.001

    def silent(self) -> bool:
        return False
