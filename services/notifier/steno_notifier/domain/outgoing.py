"""What is delivered to a destination of a session, when again, under which id."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from steno_common.destinations import FORMS
from steno_common.messages import (
    Completed,
    Destination,
    Event,
    Numbered,
    Partial,
    Session,
    Status,
    Translation,
    Utterance,
    Warned,
)
from steno_common.messages import Final as FinalEvent


@dataclass(frozen=True, slots=True)
class Parcel:
    """One event for one destination."""

    session: Session
    epoch: str
    destination: Destination
    """With its URL and its secret, also where Redis holds neither."""
    number: int
    """Of the event in the log; 0 for a partial, which is not in it."""
    event: Event | Partial
    """A partial only for a pipeline: tried once, and forgotten whatever becomes of it."""
    finals: tuple[Numbered, ...] = ()
    """For an utterance: the finals in it, `first_event` to `last_event`."""
    tries: int = 0
    """Failed so far."""

    @property
    def id(self) -> str:
        """The same for every try, of whichever process; see `identity`."""
        return identity(self.session.session_id, self.epoch, self.number, self.event)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a try."""

    kind: Literal["delivered", "again", "never", "gone"]
    reason: str = ""
    """A short code such as `http_503` or `timeout`; never text of a session, never a URL."""
    after_seconds: float = 0.0
    """The least wait that the receiver asked for."""


class Sender(Protocol):
    """Delivers to destinations of one kind."""

    async def send(self, parcel: Parcel) -> Verdict:
        """Try once, within a limit of its own; every failure is a verdict, not an exception."""

    async def aclose(self) -> None:
        """Give back what it holds."""


LONGEST_ASKED: Final = 86_400.0
"""Seconds that a receiver may ask for before it is tried again."""


@dataclass(frozen=True, slots=True)
class Plan:
    """When a failed delivery is tried again."""

    delays: tuple[float, ...]
    """`delays[i]`: seconds after failed try number i + 1; after the last of them, no more."""
    jitter: float = 0.2
    """A wait is longer by up to this share of it, so that many do not come back together."""

    def wait(self, failed: int, chance: float, least: float = 0.0) -> float | None:
        """Give the seconds until the next try after so many failed ones; None: no further try.

        `chance` is in [0, 1), `least` what the receiver asked for.
        """
        if failed > len(self.delays):
            return None
        wait = max(self.delays[failed - 1], min(least, LONGEST_ASKED))
        return wait * (1 + self.jitter * chance)


def repeating(delays: tuple[float, ...], total: float) -> Plan:
    """Give a plan whose last delay repeats while the sum of all stays within `total` seconds."""
    room = total - sum(delays)
    return Plan(delays + delays[-1:] * max(0, int(room // delays[-1])))


@dataclass(frozen=True, slots=True)
class Kind:
    """How destinations of one kind are served."""

    wants: frozenset[str]
    """Names of events that go to those of them that name none."""
    plan: Plan


NAMES: Final[Mapping[type[Event], str]] = {
    FinalEvent: "final",
    Utterance: "utterance",
    Status: "status",
    Warned: "warning",
    Completed: "completed",
    Translation: "translation",
}
"""What a destination may ask for; events of other types are Steno's own affair."""

KINDS: Final[Mapping[str, Kind]] = {
    "webhook": Kind(
        frozenset(FORMS["webhook"]) - {"translation"},
        Plan((5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0)),
    ),
    "relay": Kind(
        frozenset(FORMS["relay"]), repeating((1.0, 2.0, 5.0, 10.0, 30.0, 60.0), 86_400.0)
    ),
    "pipeline": Kind(frozenset(FORMS["pipeline"]), Plan((0.1, 0.1))),
}


def plans(
    webhook: tuple[float, ...], relay: tuple[float, ...], relay_seconds: float
) -> Mapping[str, Plan]:
    """Give the plan of each kind where an installation says when to try again."""
    own = {"webhook": Plan(webhook), "relay": repeating(relay, relay_seconds)}
    return {name: own.get(name, kind.plan) for name, kind in KINDS.items()}


def wants(destination: Destination, event: Event) -> bool:
    """Say whether an event goes to a destination."""
    return NAMES.get(type(event)) in (destination.events or KINDS[destination.kind].wants)


def identity(session_id: str, epoch: str, number: int, event: Event | Partial) -> str:
    """Give the id of what is delivered: it follows from what it is, and has no dot in it.

    Finals, utterances and the end are the same after a restore of their session; anything else
    is what it is by its number in the log of an epoch.
    """
    match event:
        case FinalEvent(start=start):
            return f"{session_id}-final-{start}"
        case Utterance(index=index):
            return f"{session_id}-utterance-{index}"
        case Completed():
            return f"{session_id}-completed"
        case Partial(start=start, end=end):
            return f"{session_id}-partial-{start}-{end}"
        case _:
            return f"{session_id}-{epoch}-{number}"
