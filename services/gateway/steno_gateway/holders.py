"""Who of this gateway's clients holds the session of a name."""

from dataclasses import dataclass, field
from typing import Protocol


class Holder(Protocol):
    """A line on the session of a name."""

    async def hand_over(self) -> str:
        """Give the session up to another line; gives its id if the client has ended it, or ''."""


@dataclass(slots=True)
class Holders:
    """The newest holder of each name; what it has taken must be stored before another goes on."""

    _held: dict[tuple[str, str], Holder] = field(default_factory=dict)

    async def take(self, owner: str, name: str, holder: Holder) -> str:
        """Become the holder; gives the id of a session of this name that was ended, or ''."""
        former = self._held.get((owner, name))
        self._held[owner, name] = holder
        return "" if former is None or former is holder else await former.hand_over()

    def leave(self, owner: str, name: str, holder: Holder) -> None:
        """Hold a name no more."""
        if self._held.get((owner, name)) is holder:
            del self._held[owner, name]
