"""Processes of a simulation: what runs belongs to one, and ends or stands still with it."""

import asyncio
from contextvars import Context, ContextVar
from dataclasses import dataclass, field

PROCESS: ContextVar["Process | None"] = ContextVar("process", default=None)

WORLD = Context()
"""Where that runs which belongs to no process: the network, the store, time."""


@dataclass(eq=False)
class Process:
    """A process of one of the services, or of a client."""

    name: str
    dead: bool = False
    frozen: bool = False
    context: Context = field(init=False)

    def __post_init__(self) -> None:
        self.context = Context()
        self.context.run(PROCESS.set, self)

    def __repr__(self) -> str:
        return self.name

    def check(self) -> None:
        """Let nothing that a dead process still does have an effect."""
        if self.dead:
            raise asyncio.CancelledError(f"{self.name} is dead")


def current() -> Process | None:
    """Give the process that runs now."""
    return PROCESS.get()
