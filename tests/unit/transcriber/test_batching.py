"""Choice of the next batch."""

from hypothesis import given
from hypothesis import strategies as st

from steno_transcriber.domain.batching import Room, Ticket, choose

tickets = st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans()), max_size=20).map(
    lambda rows: [Ticket(n, session, final) for n, (session, final) in enumerate(rows)]
)
rooms = st.builds(Room, st.integers(1, 5), st.integers(0, 3), st.integers(1, 3))


@given(tickets, rooms)
def test_a_batch_is_bounded_and_holds_no_session_twice(waiting: list[Ticket], room: Room) -> None:
    batch = choose(waiting, room)
    assert len(batch) <= room.max_batch
    assert len({ticket.session for ticket in batch}) == len(batch)
    assert set(batch) <= set(waiting)


@given(tickets, rooms)
def test_no_partial_is_taken_while_a_final_of_another_session_is_left(
    waiting: list[Ticket], room: Room
) -> None:
    batch = choose(waiting, room)
    taken = {ticket.session for ticket in batch}
    if any(not ticket.final for ticket in batch):
        assert all(ticket.session in taken for ticket in waiting if ticket.final)


@given(tickets, rooms)
def test_the_oldest_final_never_waits_while_there_is_a_place(
    waiting: list[Ticket], room: Room
) -> None:
    finals = [ticket for ticket in waiting if ticket.final]
    if finals and room.free:
        assert choose(waiting, room)[0] == finals[0]


def test_finals_go_first_then_the_partial_that_waited_longest() -> None:
    waiting = [Ticket(0, "a", False), Ticket(1, "b", False), Ticket(2, "c", True)]
    assert [t.number for t in choose(waiting, Room(2, 1, 1))] == [2, 0]


def test_partials_alone_leave_the_last_place_to_a_final() -> None:
    waiting = [Ticket(0, "a", False)]
    assert choose(waiting, Room(1, 1, 2)) == []
    assert choose(waiting, Room(1, 2, 2)) == waiting
    assert choose(waiting, Room(1, 1, 1)) == waiting
    assert choose(waiting, Room(1, 0, 1)) == []
