"""How many sessions an engine can carry, from what those it carries cost."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

WINDOW_SECONDS: Final = 20
"""What happened longer ago says nothing about now."""

RECENT_SECONDS: Final = 3
"""The part of it in which finals show whether they are late."""

COMFORT: Final = 0.8
"""Share of the places up to which sessions are claimed at once: more, and windows queue up."""

HARD_COMFORT: Final = 0.9
"""Share of the places that finals alone may need; partials take what is left."""

WINDOWS_A_SECOND: Final = 1.5
"""Windows of one session, before anything is measured."""

FINALS_A_SECOND: Final = 0.5

PRIOR_SECONDS: Final = 10.0
"""Seconds of one session that weigh as much as what is assumed of it."""

FRESH_SECONDS: Final = 5.0
"""So young a session has shown half its cost: its first final is still to come."""


@dataclass(slots=True)
class _Second:
    number: int
    sums: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    counts: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Meter:
    """Sums over the last seconds. Times are seconds of any clock that never goes back.

    Bounded by the number of names, whatever the rate: values are kept as one sum a second.
    """

    _seconds: deque[_Second] = field(default_factory=deque)
    _largest: dict[str, float] = field(default_factory=dict)

    def add(self, at: float, name: str, value: float) -> None:
        """Take one value."""
        number = int(at)
        if not self._seconds or self._seconds[-1].number != number:
            self._seconds.append(_Second(number))
            while self._seconds[0].number <= number - WINDOW_SECONDS:
                self._seconds.popleft()
        second = self._seconds[-1]
        second.sums[name] += value
        second.counts[name] += 1
        self._largest[name] = max(self._largest.get(name, value), value)

    def total(self, at: float, name: str, seconds: int = WINDOW_SECONDS) -> float:
        """Give the sum of the last seconds."""
        return sum(second.sums[name] for second in self._since(at, seconds))

    def mean(self, at: float, name: str, seconds: int = WINDOW_SECONDS) -> float:
        """Give the mean of the last seconds, 0 if there was nothing."""
        count = sum(second.counts[name] for second in self._since(at, seconds))
        return self.total(at, name, seconds) / count if count else 0.0

    def largest(self, name: str) -> float:
        """Give the largest value ever, 0 if there was nothing."""
        return self._largest.get(name, 0.0)

    def batches(self, at: float) -> list[tuple[float, float, float]]:
        """Give for each second how many batches ended, their windows, their time."""
        return [
            (
                each.counts["batch_seconds"],
                each.counts["final_seconds"] + each.counts["partial_seconds"],
                each.sums["batch_seconds"],
            )
            for each in self._since(at, WINDOW_SECONDS)
        ]

    def _since(self, at: float, seconds: int) -> Iterator[_Second]:
        return (second for second in self._seconds if second.number > at - seconds)


def economy(seconds: Iterable[tuple[float, float, float]], largest: float) -> float:
    """Say what a window would cost in fuller batches, as a share of what it costs now.

    A batch takes `a + b * windows`: what is idle is not the places alone, it is also the room in
    batches that are not full. `seconds` has sums of (batches, windows, time), of which the least
    squares give a with b. They are trusted for batches up to twice as large as the mean, not
    larger than the largest there has been.
    """
    found = [each for each in seconds if each[0]]
    batches, windows, time = (sum(each[n] for each in found) for n in range(3))
    bb, bn, bt = (sum(each[0] * each[n] for each in found) for n in range(3))
    nn, nt = (sum(each[1] * each[n] for each in found) for n in (1, 2))
    spread = bb * nn - bn * bn
    if not windows or time < 1e-6 or spread <= 1e-6 * bb * nn:
        return 1.0
    fixed = min(max((bt * nn - nt * bn) / spread, 0.0), time / batches)
    each = (time - fixed * batches) / windows
    mean = windows / batches
    fuller = max(mean, min(2 * mean, largest))
    return (fixed / fuller + each) / (time / windows)


@dataclass(frozen=True, slots=True)
class Engine:
    """What is known of an engine before it has worked."""

    places: int = 1
    """Batches it runs at once."""
    window_seconds: float = 0.0
    """Time of a place that one window takes; 0: unknown."""


@dataclass(frozen=True, slots=True)
class Load:
    """What the sessions of a worker need of its engine, in places that are never idle."""

    sessions: int = 0
    places: int = 1
    session_cost: float = 0.0
    """Need of one session whose partials come as often as they should; 0: unknown."""
    final_cost: float = 0.0
    """The part of it that its finals need."""
    final_wait: float = 0.0
    """Seconds that finals waited lately for a place."""
    realtime_factor: float = 0.0
    """Engine seconds for each second of audio."""
    lag: float = 0.0
    """Seconds that the audio of the later quarter of the sessions waits at least."""

    @property
    def demand(self) -> float:
        """Need of all sessions, however many partials were really decoded."""
        return self.sessions * self.session_cost

    @property
    def least(self) -> float:
        """Need of all their finals."""
        return self.sessions * self.final_cost


def measured(meter: Meter, at: float, engine: Engine, *, sessions: int, lag: float) -> Load:
    """Give the load of so many sessions.

    Cost is counted a second of a session: so it holds at once for more or fewer sessions than
    those it was measured on.
    """
    finals, partials = meter.total(at, "final_seconds"), meter.total(at, "partial_seconds")
    a_partial = (
        meter.mean(at, "partial_seconds")
        or meter.mean(at, "final_seconds")
        or engine.window_seconds
    )  # fmt: skip
    wanted = meter.total(at, "partials_due") * a_partial
    full = economy(meter.batches(at), meter.largest("batch_windows"))
    weight = PRIOR_SECONDS if engine.window_seconds else 0.0
    time = meter.total(at, "session_seconds") + weight
    prior = engine.window_seconds * weight
    heard = meter.total(at, "audio_seconds")
    return Load(
        sessions=sessions,
        places=engine.places,
        session_cost=(full * (finals + wanted) + prior * WINDOWS_A_SECOND) / time if time else 0.0,
        final_cost=(full * finals + prior * FINALS_A_SECOND) / time if time else 0.0,
        final_wait=meter.mean(at, "final_wait_seconds", RECENT_SECONDS),
        realtime_factor=(finals + partials) / heard if heard else 0.0,
        lag=lag,
    )


def _fit(spare: float, cost: float, most: int) -> int:
    """Give how many of a cost fit; all, if the cost is not known."""
    if cost * most <= spare:
        return most
    return max(0, int(spare / cost))


def room(load: Load, most: int) -> int:
    """Say how many more sessions fit so that even partials come as they should.

    A worker without sessions has room for one, however slow it is.
    """
    free = max(0, most - load.sessions)
    fits = _fit(COMFORT * load.places - load.demand, load.session_cost, free)
    return fits if load.sessions else max(fits, min(1, free))


def hard_room(load: Load, most: int) -> int:
    """Say how many more fit if partials get rarer; not less than `room`."""
    free = max(0, most - load.sessions)
    fits = _fit(HARD_COMFORT * load.places - load.least, load.final_cost, free)
    return max(fits, room(load, most))
