"""Choice of the next batch."""

from hypothesis import given
from hypothesis import strategies as st

from steno_transcriber.domain.batching import Room, Ticket, Urgency, choose

FINAL, FIRST, EARLY, LATER = Urgency

tickets = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from(Urgency), st.integers(0, 2)), max_size=20
).map(lambda rows: [Ticket(number, *row) for number, row in enumerate(rows)])
rooms = st.builds(Room, st.integers(1, 5), st.integers(1, 5), st.integers(0, 3), st.integers(0, 2))


def rank(ticket: Ticket) -> tuple[int, int]:
    return (ticket.urgency, ticket.number)


@given(tickets, rooms)
def test_a_batch_is_one_group_and_holds_no_session_twice(waiting: list[Ticket], room: Room) -> None:
    batch = choose(waiting, room)
    assert set(batch) <= set(waiting)
    assert len({ticket.session for ticket in batch}) == len(batch)
    assert len({ticket.group for ticket in batch}) <= 1


@given(tickets, rooms)
def test_a_batch_is_bounded_and_more_so_without_a_final(waiting: list[Ticket], room: Room) -> None:
    batch = choose(waiting, room)
    final = any(ticket.urgency in {FINAL, EARLY} for ticket in batch)
    assert len(batch) <= (max(room.max_batch, room.max_partials) if final else room.max_partials)


@given(tickets, rooms)
def test_the_most_urgent_goes_first_and_the_oldest_of_equals(
    waiting: list[Ticket], room: Room
) -> None:
    batch = choose(waiting, room)
    assert batch[1:] == sorted(batch[1:], key=rank)
    if batch and room.free > room.reserve:
        assert batch[0] == min(waiting, key=rank)


@given(tickets, rooms)
def test_nobody_is_passed_over_by_one_of_its_group_that_is_less_urgent(
    waiting: list[Ticket], room: Room
) -> None:
    batch = choose(waiting, room)
    if not batch or room.free <= room.reserve:
        return
    for ticket in waiting:
        if ticket.group == batch[0].group and ticket not in batch:
            taken = [other for other in batch if other.session == ticket.session] or batch
            assert rank(ticket) > rank(taken[-1])


@given(tickets, rooms)
def test_a_place_is_left_empty_only_for_want_of_work_or_as_the_reserve(
    waiting: list[Ticket], room: Room
) -> None:
    finals = any(ticket.urgency in {FINAL, EARLY} for ticket in waiting)
    usable = room.free if finals else room.free - room.reserve
    assert bool(choose(waiting, room)) == bool(waiting and usable > 0)


def test_finals_go_first_then_first_words_then_the_partial_that_waited_longest() -> None:
    waiting = [
        Ticket(0, "a", LATER),
        Ticket(1, "b", LATER),
        Ticket(2, "c", FIRST),
        Ticket(3, "d", FINAL),
        Ticket(4, "e", EARLY),
    ]
    room = Room(max_batch=3, max_partials=2, free=1, reserve=0)
    assert [ticket.number for ticket in choose(waiting, room)] == [3, 2, 4]
    assert [ticket.number for ticket in choose(waiting[:3], room)] == [2, 0]
    reserved = Room(max_batch=3, max_partials=2, free=1, reserve=1)
    assert [ticket.number for ticket in choose(waiting, reserved)] == [3, 2, 4]
    assert choose(waiting[:3], reserved) == []


def test_partials_alone_leave_the_reserve_to_finals() -> None:
    partial, final = [Ticket(0, "a", FIRST)], [Ticket(0, "a", FINAL)]
    assert choose(partial, Room(1, 1, free=1, reserve=1)) == []
    assert choose(partial, Room(1, 1, free=2, reserve=1)) == partial
    assert choose(partial, Room(1, 1, free=1, reserve=0)) == partial
    assert choose(final, Room(1, 1, free=1, reserve=1)) == final
    assert choose(final, Room(1, 1, free=0, reserve=0)) == []


def test_windows_of_another_group_wait_for_the_next_batch() -> None:
    waiting = [
        Ticket(0, "a", LATER, "short"),
        Ticket(1, "b", FINAL, "long"),
        Ticket(2, "c", FINAL, "short"),
        Ticket(3, "d", LATER, "long"),
    ]
    room = Room(max_batch=4, max_partials=4, free=2, reserve=0)
    assert [ticket.number for ticket in choose(waiting, room)] == [1, 3]


def test_of_a_session_with_a_final_and_a_partial_the_final_is_taken() -> None:
    waiting = [Ticket(0, "a", LATER), Ticket(1, "a", FINAL)]
    assert [ticket.number for ticket in choose(waiting, Room(4, 4, 1, 0))] == [1]
