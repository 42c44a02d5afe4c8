"""Who takes a waiting session, who gives one up: rules between workers."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from steno_transcriber.domain.capacity import COMFORT, Load, hard_room, room

GRACE_SECONDS: Final = 2.0
"""A session that waits longer is taken by somebody who has no room: nobody else has."""

LATE_SECONDS: Final = 2.0
"""Audio that waits longer makes its finals late."""

LATE_WAIT_SECONDS: Final = 0.5
"""Finals that wait longer for a place come late, where more is needed than there is."""

PATIENCE_SECONDS: Final = 3.0
"""Sessions are given up if finals are late for so long in a row."""

LONG_PATIENCE_SECONDS: Final = 10.0
"""The same where it hurts less: only partials are rare, or the engine has places to spare, so that
it should soon catch up, or others would have to thin out their partials."""

PAUSE_SECONDS: Final = 2.0
"""From giving up sessions to giving up more: others take them and say what room is left."""

SETTLE_SECONDS: Final = 10.0
"""What it gave up, others have taken after so long, if they can."""

REGAIN_SECONDS: Final = 30.0
"""Who gave sessions up takes one more than it kept after so long, then another."""

EASIER: Final = 0.8
"""Who would have to thin out its partials must need less than this share of what is needed here."""

SHARE: Final = 10
"""At most one of so many sessions is given up at once."""


@dataclass(frozen=True, slots=True)
class Peer:
    """What another worker says of itself."""

    worker: str
    room: int
    hard_room: int
    strained: bool
    """It wants to give up sessions, too."""
    demand: float
    """What its sessions need of its engine, 1: all of it."""
    engine: str = ""
    guests: int = 0
    """Sessions that it would give back to an engine they prefer."""


def is_late(load: Load) -> bool:
    """Say whether finals are late for good: one session has only itself to wait for."""
    if load.sessions < 2:
        return False
    queued = load.demand > load.places and load.final_wait > LATE_WAIT_SECONDS
    return queued or load.lag > LATE_SECONDS


def is_strained(load: Load) -> bool:
    """Say whether others would serve some of the sessions better: with more partials at least."""
    return is_late(load) or (load.sessions > 1 and load.demand > load.places)


def lag_of(waits: Iterable[float]) -> float:
    """Give the seconds that the later quarter of the sessions waits at least.

    That quarter is two sessions at least: one that is behind says nothing of the others.
    """
    ordered = sorted(waits)
    return ordered[3 * (len(ordered) - 1) // 4] if ordered else 0.0


def share(whole: int, worker: str, others: Iterable[str]) -> int:
    """Give one worker's part of what all of them divide.

    Each divides it the same way: together they never take more than there is.
    """
    sharing = sorted([worker, *others])
    each, rest = divmod(whole, len(sharing))
    return each + (sharing.index(worker) < rest)


@dataclass(slots=True)
class Grace:
    """Since when this worker sees each session wait.

    It is its own clock that counts, not the age of the audio: a session that was just given up has
    old audio, yet those with room must have their chance.
    """

    _since: dict[str, float] = field(default_factory=dict)

    def ripe(self, at: float, waiting: Iterable[str]) -> set[str]:
        """Take those that wait now; give those that have waited through the grace."""
        self._since = {session: self._since.get(session, at) for session in waiting}
        return {s for s, since in self._since.items() if at - since >= GRACE_SECONDS}


@dataclass(slots=True)
class Balance:
    """One worker's part in keeping all of them equally at ease. Times are seconds, as above."""

    worker: str
    most: int
    """Sessions that it may hold."""
    _strained_since: float | None = None
    _gave_at: float = -math.inf
    _kept: int = 0
    """Sessions it had left when it gave some up."""

    def room(self, at: float, load: Load) -> int:
        """Say how many sessions it would take at once.

        What is measured says nothing of limits beside the engine. So what was too much once is
        approached again step by step.
        """
        if is_late(load):
            return 0
        regained = self._kept + (at - self._gave_at) // REGAIN_SECONDS
        return int(max(0, min(room(load, self.most), regained - load.sessions)))

    def hard_room(self, at: float, load: Load) -> int:
        """Say how many it would take if nobody else does: better late than not at all.

        None for a while after it gave some up: else it would be the first to take them back.
        """
        settled = at - self._gave_at >= SETTLE_SECONDS
        return hard_room(load, self.most) if settled and load.lag <= LATE_SECONDS else 0

    def give_up(self, at: float, load: Load, peers: Sequence[Peer]) -> int:
        """Say how many sessions it gives up now; to be asked about once a second."""
        if not is_strained(load):
            self._strained_since = None
            return 0
        if self._strained_since is None:
            self._strained_since = at
        late = is_late(load)
        most = self._share(sum(peer.room for peer in peers), peers)
        urgent = late and most and load.demand > COMFORT * load.places
        if late and not most:
            one, all_of_them = load.session_cost / load.places, load.demand / load.places
            easier = [peer for peer in peers if peer.demand + one < EASIER * all_of_them]
            most = min(1, self._share(sum(peer.hard_room for peer in easier), peers))
        patience = PATIENCE_SECONDS if urgent else LONG_PATIENCE_SECONDS
        if at - self._strained_since < patience or at - self._gave_at < PAUSE_SECONDS:
            return 0
        count = min(most, max(1, load.sessions // SHARE), load.sessions - 1)
        if count:
            self._gave_at, self._kept = at, load.sessions - count
            if not urgent:
                self._strained_since = at
        return count

    def _share(self, whole: int, peers: Sequence[Peer]) -> int:
        """Give this worker's part of what the others can take: the strained divide it."""
        return share(whole, self.worker, [peer.worker for peer in peers if peer.strained])
