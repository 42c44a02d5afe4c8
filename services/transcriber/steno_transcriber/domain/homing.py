"""Sessions that go back to an engine they prefer: rules between workers of several engines."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from steno_transcriber.domain.balance import PAUSE_SECONDS, Peer, share

FEW: Final = 5
"""Sessions that go back at once."""

STEADY_SECONDS: Final = 3.0
"""An engine has room for others' guests once it has had some for so long."""


@dataclass(frozen=True, slots=True)
class Guest:
    """A session that is with an engine which is not its first choice."""

    session: str
    since: float
    homes: tuple[str, ...]
    """Engines that it would rather be with, the best first."""


@dataclass(slots=True)
class Homing:
    """One worker's part in giving guests back. Times are seconds of a clock that never goes back.

    A few at a time, and no sooner than they have stayed for a while: who goes back and forth loses
    more than it gains. Half of the room is left to sessions that begin.
    """

    worker: str
    stay_seconds: float
    _open_since: dict[str, float] = field(default_factory=dict)
    """Since when each engine has had room."""
    _gave_at: float = -math.inf

    def going(self, at: float, guests: Sequence[Guest], peers: Sequence[Peer]) -> list[str]:
        """Say which sessions go back now; to be asked about once a second."""
        room = Counter[str]()
        for peer in peers:
            room[peer.engine] += max(0, peer.room)
        self._open_since = {e: self._open_since.get(e, at) for e, free in room.items() if free}
        if at - self._gave_at < PAUSE_SECONDS:
            return []
        hosts = [peer.worker for peer in peers if peer.guests]
        left = {
            engine: share((room[engine] + 1) // 2, self.worker, hosts)
            for engine, since in self._open_since.items()
            if at - since >= STEADY_SECONDS
        }
        going = self._placed([g for g in guests if at - g.since >= self.stay_seconds], left)
        if going:
            self._gave_at = at
        return going

    @staticmethod
    def _placed(guests: Sequence[Guest], left: Mapping[str, int]) -> list[str]:
        """Give those for whom there is room, longest guests first."""
        free, going = Counter(left), list[str]()
        for guest in sorted(guests, key=lambda guest: guest.since):
            home = next((home for home in guest.homes if free[home] > 0), None)
            if home is not None and len(going) < FEW:
                free[home] -= 1
                going.append(guest.session)
        return going
