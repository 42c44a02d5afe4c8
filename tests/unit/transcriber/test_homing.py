"""Sessions that go back to an engine they prefer: a few at a time, none of them soon again."""

import math

from hypothesis import given
from hypothesis import strategies as st

from steno_transcriber.domain.balance import Peer, share
from steno_transcriber.domain.homing import FEW, STEADY_SECONDS, Guest, Homing


def host(room: int, engine: str = "first", worker: str = "host", guests: int = 0) -> Peer:
    return Peer(worker, room, room, strained=False, demand=0.0, engine=engine, guests=guests)


def guests(count: int, since: float = 0.0, homes: tuple[str, ...] = ("first",)) -> list[Guest]:
    return [Guest(f"g{n}", since, homes) for n in range(count)]


def test_nobody_goes_before_it_has_stayed_and_room_has_been_there_for_a_while() -> None:
    homing = Homing("me", stay_seconds=30)
    assert [len(homing.going(at, guests(2), [host(9)])) for at in (28, 29, 30, 31)] == [0, 0, 0, 2]


def test_room_that_comes_and_goes_calls_nobody() -> None:
    homing = Homing("me", stay_seconds=0)
    found = [homing.going(at, guests(2), [host(9 if at % 3 else 0)]) for at in range(30)]
    assert found == [[]] * 30


def test_a_few_go_at_once_and_the_next_ones_later() -> None:
    homing, left = Homing("me", stay_seconds=0), guests(12)
    gone = []
    for at in range(10):
        going = homing.going(at, left, [host(100)])
        left = [guest for guest in left if guest.session not in going]
        gone.append(len(going))
    assert gone == [0, 0, 0, 5, 0, 5, 0, 2, 0, 0]


def test_half_of_the_room_is_left_to_new_sessions() -> None:
    for room, going in ((0, 0), (1, 1), (2, 1), (3, 2), (8, 4)):
        homing = Homing("me", stay_seconds=0)
        homing.going(0, [], [host(room)])
        assert len(homing.going(STEADY_SECONDS, guests(9), [host(room)])) == going


def test_workers_with_guests_divide_the_room() -> None:
    peers = [host(8), *(host(0, "second", f"w{n}", guests=3) for n in range(3))]
    counts = []
    for worker in ("v", "w0", "w1", "w2"):
        homing = Homing(worker, stay_seconds=0)
        others = [peer for peer in [*peers, host(0, "second", "v", 3)] if peer.worker != worker]
        homing.going(0, [], others)
        counts.append(len(homing.going(STEADY_SECONDS, guests(5), others)))
    assert counts == [1, 1, 1, 1]


def test_each_goes_to_the_best_home_that_has_room() -> None:
    homing = Homing("me", stay_seconds=0)
    peers = [host(1), host(2, "second", "other")]
    homing.going(0, [], peers)
    wanted = [
        Guest("new", 2.0, ("first",)), Guest("old", 1.0, ("first", "second")),
        Guest("none", 0.0, ("third",)),
    ]  # fmt: skip
    assert homing.going(STEADY_SECONDS, wanted, peers) == ["old"]
    homing = Homing("me", stay_seconds=0)
    homing.going(0, [], peers)
    both = [Guest("a", 0.0, ("first", "second")), Guest("b", 1.0, ("first", "second"))]
    assert homing.going(STEADY_SECONDS, both, peers) == ["a", "b"]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 30)), max_size=40),
       st.floats(0, 20))  # fmt: skip
def test_nobody_is_sent_for_whom_there_is_no_room_or_too_soon(
    seconds: list[tuple[int, int]], stay_seconds: float
) -> None:
    homing, last = Homing("me", stay_seconds), -math.inf
    for at, (room, count) in enumerate(seconds):
        present = [Guest(f"{at} {n}", at - n, ("first",)) for n in range(count)]
        going = homing.going(at, present, [host(room)])
        assert len(going) <= min(FEW, (room + 1) // 2)
        assert all(at - guest.since >= stay_seconds for guest in present
                   if guest.session in going)  # fmt: skip
        assert not going or at - last >= 2
        last = at if going else last


@given(st.integers(0, 100), st.sets(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=9))
def test_shares_of_all_workers_are_the_whole(whole: int, workers: set[str]) -> None:
    shares = [share(whole, worker, workers - {worker}) for worker in workers]
    assert sum(shares) == whole
    assert max(shares) - min(shares) <= 1
