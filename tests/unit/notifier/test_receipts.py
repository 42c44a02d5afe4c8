"""What counts as taken by a receiver: what it has read, or what its program says it has kept."""

from hypothesis import given
from hypothesis import strategies as st

from steno_notifier.domain.receipts import Receipts


def test_what_is_read_is_taken_unless_it_is_to_be_answered() -> None:
    receipts = Receipts()
    assert [receipts.expect(answer) for answer in ("", "a", "")] == [1, 2, 3]
    assert receipts.pong(2) == [1]
    assert receipts.pong(3) == [3]
    assert receipts.said("a") == [2]


def test_answers_come_in_any_order() -> None:
    receipts = Receipts()
    for answer in "abc":
        receipts.expect(answer)
    assert [receipts.said(text) for text in "cab"] == [[3], [1], [2]]


def test_one_answer_is_for_all_that_are_the_same() -> None:
    """Two destinations of a session may have the same address."""
    receipts = Receipts()
    for answer in ("a", "b", "a"):
        receipts.expect(answer)
    assert receipts.said("a") == [1, 3]
    assert receipts.said("a") == []


def test_what_is_not_waited_for_says_nothing() -> None:
    receipts = Receipts()
    assert (receipts.pong(0), receipts.pong(1), receipts.said("a")) == ([], [], [])
    receipts.expect()
    receipts.expect("a")
    assert (receipts.pong(3), receipts.said(""), receipts.said("a ")) == ([], [], [])
    receipts.forget(1)
    receipts.forget(2)
    assert (receipts.pong(2), receipts.said("a")) == ([], [])


def test_it_is_known_how_far_a_receiver_has_read() -> None:
    receipts = Receipts()
    for answer in ("", "a", "b"):
        receipts.expect(answer)
    read = []
    for number in (2, 1, 4, 3):
        receipts.pong(number)
        read.append(receipts.read)
    assert read == [2, 2, 2, 3]


texts = st.sampled_from(["", "a", "b", "c"])
numbers = st.integers(0, 12)
steps = st.lists(st.one_of(
    st.tuples(st.just("expect"), texts), st.tuples(st.just("said"), texts),
    st.tuples(st.just("pong"), numbers), st.tuples(st.just("forget"), numbers),
))  # fmt: skip


@given(steps)
def test_each_is_taken_once_by_what_proves_it(steps: list[tuple[str, str | int]]) -> None:
    receipts, waiting, sent, read = Receipts(), dict[int, str](), 0, 0
    for step, value in steps:
        match step, value:
            case "expect", str(answer):
                sent += 1
                waiting[sent] = answer
                assert receipts.expect(answer) == sent
            case "said", str(text):
                proved = [number for number, answer in waiting.items() if answer and answer == text]
                assert receipts.said(text) == proved
                waiting = {number: waiting[number] for number in waiting.keys() - set(proved)}
            case "pong", int(number):
                read = number if number in range(read + 1, sent + 1) else read
                proved = [each for each, answer in waiting.items() if not answer and each <= read]
                assert receipts.pong(number) == proved
                waiting = {each: waiting[each] for each in waiting.keys() - set(proved)}
            case "forget", int(number):
                receipts.forget(number)
                waiting.pop(number, None)
        assert (receipts.sent, receipts.read) == (sent, read)
        waiting = dict(sorted(waiting.items()))
