"""Balance: a few workers of different speed under the rules, second by second."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steno_transcriber.domain.balance import Balance, Grace, Peer, is_late, is_strained, lag_of
from steno_transcriber.domain.capacity import Load

EASY = Load(sessions=20, places=1, session_cost=0.02, final_cost=0.01)
LATE = Load(sessions=40, places=1, session_cost=0.05, final_cost=0.02, final_wait=0.8, lag=0.5)
IDLE = Peer("other", room=30, hard_room=60, strained=False, demand=0.1)


def test_finals_are_late_if_more_is_needed_than_there_is_while_they_queue() -> None:
    assert is_late(LATE)
    assert not is_late(Load(sessions=40, session_cost=0.05, final_wait=0.4))
    assert not is_late(Load(sessions=40, session_cost=0.02, final_wait=0.8))
    assert is_late(Load(sessions=2, lag=2.5))
    assert not is_late(Load(sessions=1, session_cost=2.0, final_wait=9.0, lag=9.0))


def test_one_session_that_is_behind_does_not_make_its_worker_late() -> None:
    assert lag_of([]) == 0.0
    assert lag_of([0.0, 0.1, 0.1, 0.2, 60.0]) == 0.2
    assert lag_of([0.0, 60.0]) == lag_of([0.0, 0.0, 60.0]) == 0.0
    assert lag_of([5.0, 6.0]) == lag_of([0.0, 5.0, 6.0]) == lag_of([0.0, 0.1, 5.0, 6.0]) == 5.0


def test_sessions_are_given_up_after_three_seconds_in_a_row() -> None:
    balance = Balance("me", 100)
    given = [balance.give_up(at, LATE, [IDLE]) for at in range(8)]
    assert given == [0, 0, 0, 4, 0, 4, 0, 4]


def test_a_second_without_lateness_begins_the_count_anew() -> None:
    balance = Balance("me", 100)
    loads = [LATE, LATE, EASY, LATE, LATE, LATE, LATE]
    given = [balance.give_up(at, load, [IDLE]) for at, load in enumerate(loads)]
    assert given == [0, 0, 0, 0, 0, 0, 4]


def test_who_has_places_to_spare_waits_longer_to_catch_up_by_itself() -> None:
    behind = Load(sessions=40, places=1, session_cost=0.01, lag=5.0)
    balance = Balance("me", 100)
    given = [balance.give_up(at, behind, [IDLE]) for at in range(24)]
    assert [at for at, count in enumerate(given) if count] == [10, 20]


def test_who_can_only_show_few_partials_gives_sessions_to_those_with_room_in_time() -> None:
    strained = Load(sessions=40, places=1, session_cost=0.03, final_cost=0.02)
    assert is_strained(strained)
    assert not is_late(strained)
    balance = Balance("me", 100)
    assert [at for at in range(24) if balance.give_up(at, strained, [IDLE])] == [10, 20]
    busy = [Peer("busy", 0, 20, strained=False, demand=0.85)]
    assert [at for at in range(24, 48) if balance.give_up(at, strained, busy)] == []


def test_nothing_is_given_up_that_nobody_has_room_for() -> None:
    full = Peer("full", 0, 0, strained=False, demand=0.9)
    for peers in ([], [full]):
        balance = Balance("me", 100)
        assert [balance.give_up(at, LATE, peers) for at in range(20)] == [0] * 20


@pytest.mark.parametrize(("names", "shares"), [("abc", [2, 2, 1]), ("bca", [2, 1, 2])])
def test_the_strained_divide_the_room(names: str, shares: list[int]) -> None:
    given = []
    for name in names:
        peers = [Peer(other, 0, 0, strained=True, demand=2.0) for other in names if other != name]
        balance = Balance(name, 100)
        balance.give_up(0, LATE, [])
        given.append(
            balance.give_up(3, LATE, [*peers, Peer("free", 5, 5, strained=False, demand=0.1)])
        )
    assert given == shares


def test_where_others_would_thin_out_partials_one_session_at_a_time_is_given_up() -> None:
    busy = [Peer("busy", 0, 20, strained=False, demand=0.9)]
    balance = Balance("me", 100)
    given = [balance.give_up(at, LATE, busy) for at in range(24)]
    assert given == [0] * 10 + [1] + [0] * 9 + [1] + [0] * 3
    alike = [Peer("alike", 0, 20, strained=False, demand=1.7)]
    assert [balance.give_up(at, LATE, alike) for at in range(24, 48)] == [0] * 24


def test_what_was_too_much_once_is_approached_again_step_by_step() -> None:
    balance = Balance("me", 100)
    assert balance.room(3, EASY) == 20
    for at in range(4):
        balance.give_up(at, LATE, [IDLE])
    easier = Load(sessions=36, places=1, session_cost=0.01, final_cost=0.01)
    rooms = [balance.room(at, easier) for at in (3, 32, 33, 62, 63)]
    assert rooms == [0, 0, 1, 1, 2]
    assert balance.room(3, EASY) == 16
    assert [balance.hard_room(at, easier) for at in (12.9, 13)] == [0, 54]


def test_who_is_late_takes_none_but_those_that_nobody_takes() -> None:
    balance = Balance("me", 100)
    queued = Load(sessions=30, places=1, session_cost=0.05, final_cost=0.019, final_wait=0.8)
    assert (balance.room(0, queued), balance.hard_room(0, queued)) == (0, 17)


def test_who_has_audio_that_waits_takes_none_at_all() -> None:
    balance = Balance("me", 100)
    behind = Load(sessions=10, places=1, session_cost=0.01, final_cost=0.01, lag=2.1)
    assert balance.room(0, behind) == balance.hard_room(0, behind) == 0
    assert balance.hard_room(0, Load(sessions=40, session_cost=0.05, final_cost=0.02)) == 4


def test_a_session_is_ripe_once_it_was_seen_to_wait_for_two_seconds_on_end() -> None:
    grace = Grace()
    assert grace.ripe(0.0, ["a"]) == set()
    assert grace.ripe(1.9, ["a", "b"]) == set()
    assert grace.ripe(2.0, ["a", "b"]) == {"a"}
    assert grace.ripe(3.0, ["b"]) == set()
    assert grace.ripe(4.0, ["a", "b"]) == {"b"}


@dataclass
class Machine:
    """A worker in a model of the world: engine seconds a second, sessions with their backlog."""

    balance: Balance
    speed: float
    misjudged: float
    """What it takes a session to cost, as a share of what it costs."""
    held: dict[int, float] = field(default_factory=dict)
    """Seconds of audio that wait, by session, the newest last."""
    grace: Grace = field(default_factory=Grace)

    def load(self, cost: float) -> Load:
        lag = lag_of(self.held.values())
        each = cost / self.speed * self.misjudged
        return Load(sessions=len(self.held), places=1, session_cost=each, final_cost=each / 2,
                    final_wait=lag, lag=lag)  # fmt: skip

    def report(self, at: float, load: Load) -> Peer:
        room, hard = self.balance.room(at, load), self.balance.hard_room(at, load)
        return Peer(self.balance.worker, room, hard, is_strained(load), load.demand)

    def work(self, cost: float) -> None:
        """Hear a second of audio of every session, finals first, as far as the engine goes."""
        if not self.held:
            return
        share = self.speed / (cost / 2) / len(self.held)
        self.held = {sid: max(0.0, behind + 1 - share) for sid, behind in self.held.items()}


@dataclass
class World:
    """Workers that see each other, sessions that wait for one of them."""

    machines: list[Machine]
    cost: float
    waiting: dict[int, float]
    moves: list[int] = field(default_factory=list)

    def second(self, at: int) -> None:
        reports = [machine.report(at, machine.load(self.cost)) for machine in self.machines]
        moved = 0
        for machine in self.machines:
            self._take(at, machine)
        for machine in self.machines:
            name = machine.balance.worker
            peers = [peer for peer in reports if peer.worker != name]
            count = machine.balance.give_up(at, machine.load(self.cost), peers)
            for sid in list(machine.held)[len(machine.held) - count :]:
                self.waiting[sid] = machine.held.pop(sid)
            moved += count
        for machine in self.machines:
            machine.work(self.cost)
        self.waiting = {sid: behind + 1 for sid, behind in self.waiting.items()}
        self.moves.append(moved)

    def _take(self, at: int, machine: Machine) -> None:
        ripe = machine.grace.ripe(at, self.waiting)
        room = machine.balance.room(at, machine.load(self.cost))
        if not room and ripe and machine.balance.hard_room(at, machine.load(self.cost)):
            room = 1
        for sid in list(self.waiting)[:room]:
            machine.held[sid] = self.waiting.pop(sid)


def _world(speeds: list[float], errors: list[float], need: float, crowd: int) -> World:
    """Give workers the first of which holds all sessions, that need so much together."""
    machines = [
        Machine(Balance(f"worker {n}", 200), speed, error)
        for n, (speed, error) in enumerate(zip(speeds, errors, strict=False))
    ]
    machines[0].held = dict.fromkeys(range(crowd), 0.0)
    return World(machines, need * sum(speeds) / crowd, {})


speeds = st.lists(st.floats(0.5, 4), min_size=2, max_size=5)
errors = st.lists(st.floats(0.8, 1.25), min_size=5, max_size=5)


@settings(max_examples=60, deadline=None)
@given(speeds, errors, st.floats(0.05, 0.45), st.integers(10, 80))
def test_where_there_is_enough_for_all_everybody_is_served_after_few_moves(
    speeds: list[float], errors: list[float], need: float, crowd: int
) -> None:
    world = _world(speeds, errors, need, crowd)
    for at in range(600):
        world.second(at)
    assert not world.waiting
    assert not any(is_strained(machine.load(world.cost)) for machine in world.machines)
    assert sum(len(machine.held) for machine in world.machines) == crowd
    assert sum(world.moves) <= 2 * crowd
    assert sum(world.moves[300:]) == 0


@settings(max_examples=60, deadline=None)
@given(speeds, errors, st.floats(0.8, 4), st.integers(10, 80))
def test_where_there_is_too_little_nothing_goes_round_in_circles(
    speeds: list[float], errors: list[float], need: float, crowd: int
) -> None:
    world = _world(speeds, errors, need, crowd)
    for at in range(600):
        world.second(at)
    held = [sid for machine in world.machines for sid in machine.held]
    assert sorted([*held, *world.waiting]) == list(range(crowd))
    assert sum(world.moves) <= 2 * crowd
