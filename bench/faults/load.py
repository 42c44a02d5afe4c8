"""Visitors that come as long as a run goes on: so many at a time, each another one."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from bench.faults.clients import Clients, Visit
from bench.faults.history import Manner
from bench.faults.speech import speech

CHUNK_SECONDS: Final = (0.02, 0.5)

_MANNERS: Final[tuple[Manner, ...]] = (*("whole",) * 16, *("leaving",) * 2, *("absent",) * 2)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What visitors are like."""

    seed: int
    sessions: int
    """At a time."""
    pace: float
    seconds: tuple[float, float] = (4.0, 20.0)
    """Of audio in a session."""
    stay: bool = False
    """Nobody leaves early: where Redis loses everything, who has left cannot bring it back."""


@dataclass(slots=True)
class Load:
    """Visitors until told to stop."""

    clients: Clients
    wanted: Wanted
    _numbers: Iterator[int] = field(default_factory=count)
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Keep so many sessions open until `stop`; ends when the last one has ended."""
        async with asyncio.TaskGroup() as tasks:
            for place in range(self.wanted.sessions):
                tasks.create_task(self._slot(), name=f"slot {place}")

    def stop(self) -> None:
        """Let nobody in any more."""
        self._over.set()

    async def _slot(self) -> None:
        while not self._over.is_set():
            await self.clients.visit(drawn(self.wanted, next(self._numbers)))


def drawn(wanted: Wanted, session: int) -> Visit:
    """Draw a visitor; the first is a whole one with a listener."""
    chance = random.Random(f"{wanted.seed} visit {session}")
    manner = chance.choice(_MANNERS) if session else "whole"
    if wanted.stay:
        manner = "whole"
    listeners = chance.choice((0, 0, 1, 2)) if session else 1
    seconds = chance.uniform(*wanted.seconds)
    return Visit(
        session=session,
        says=(speech(wanted.seed, session, seconds, CHUNK_SECONDS),),
        manner=manner,
        listeners=0 if manner == "absent" else listeners,
        pace=wanted.pace * chance.uniform(0.5, 1.5),
    )
