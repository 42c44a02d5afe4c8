"""The outbox, rule by rule."""

import pytest

from steno_client.domain.messages import Ack, Created
from steno_client.domain.outbox import Chunk, Control, Outbox, cut
from steno_client.errors import SessionError


def created(**fields: object) -> Created:
    values = {"session_id": "s", "status": "connected", "epoch": "a", "credit": 10}
    return Created(**(values | fields))  # type: ignore[arg-type]


def outbox(
    *chunks: bytes, container: bool = False, attached: bool = True, checkpoints: bool = False
) -> Outbox:
    box = Outbox(container=container, checkpoints=checkpoints)
    for chunk in chunks:
        box.put(chunk)
    if attached:
        box.attached(created(container=container))
    return box


def taken(box: Outbox) -> list[int | str]:
    """All that may be sent: numbers of chunks, names of control messages."""
    items: list[int | str] = []
    while (item := box.take()) is not None:
        items.append(item.number if isinstance(item, Chunk) else item.action)
    return items


def test_nothing_is_sent_without_a_connection() -> None:
    assert taken(outbox(b"a", attached=False)) == []


def test_chunks_are_numbered_from_one() -> None:
    box = outbox(b"a", b"b")
    assert box.take() == Chunk(1, b"a")
    assert box.take() == Chunk(2, b"b")
    assert box.take() is None


def test_what_the_credit_does_not_cover_waits_for_the_next_acknowledgement() -> None:
    box = outbox(b"a", b"b", b"c", b"d", attached=False)
    box.attached(created(credit=2))
    assert taken(box) == [1, 2]
    assert box.acked(Ack(2, 0, 1))
    assert taken(box) == [3]


def test_raw_chunks_are_kept_until_they_are_done() -> None:
    box = outbox(b"aa", b"bb", b"cc")
    taken(box)
    box.acked(Ack(3, 2, 10))
    assert box.waiting_bytes == 2
    box.attached(created(resend_from=3, done=2, sequence_number=2))
    assert taken(box) == [3]


def test_a_server_that_wants_what_it_called_done_is_refused() -> None:
    box = outbox(b"a", b"b")
    taken(box)
    box.acked(Ack(2, 2, 10))
    with pytest.raises(SessionError) as raised:
        box.attached(created(resend_from=1))
    assert raised.value.code == "audio_forgotten"


def test_a_container_is_sent_again_from_its_beginning() -> None:
    box = outbox(b"a", b"b", b"c", container=True)
    taken(box)
    box.acked(Ack(2, 2, 10))
    box.attached(created(resend_from=1, sequence_number=2, done=2, container=True))
    assert taken(box) == [1, 2, 3]


def test_a_restored_session_gets_everything_that_no_checkpoint_covers() -> None:
    box = outbox(b"a", b"b", b"c", b"d", checkpoints=True)
    taken(box)
    box.acked(Ack(4, 3, 10))
    box.covered(2)
    box.attached(created(epoch="b", sequence_number=2, done=2, resend_from=3))
    assert taken(box) == [3, 4]
    with pytest.raises(SessionError, match="all before 3 was done"):
        box.attached(created(epoch="c", resend_from=1))


def test_without_a_checkpoint_a_chunk_is_kept_though_it_is_done() -> None:
    box = outbox(b"a", b"b", checkpoints=True)
    taken(box)
    box.acked(Ack(2, 2, 10))
    assert box.waiting_bytes == 0
    box.attached(created(epoch="b", resend_from=1))
    assert taken(box) == [1, 2]


def test_what_came_through_is_said_again_where_it_was_said_if_it_is_lost() -> None:
    box = outbox(b"a", checkpoints=True)
    box.order("finalize")
    for chunk in (b"b", b"c"):
        box.put(chunk)
    assert taken(box) == [1]
    box.acked(Ack(1, 0, 10))
    assert taken(box) == ["finalize", 2, 3]
    box.acked(Ack(3, 0, 10))
    box.attached(created(epoch="b", resend_from=1))
    assert taken(box) == [1]
    box.acked(Ack(1, 0, 10))
    assert taken(box) == ["finalize", 2, 3]
    box.acked(Ack(3, 3, 10))
    box.covered(3)
    box.attached(created(epoch="b", sequence_number=3, done=3, resend_from=4))
    assert taken(box) == []


def test_nothing_unanswered_before_anything_was_sent() -> None:
    assert not outbox(b"a").unanswered


def test_a_refusal_goes_back_to_the_chunk_that_it_names() -> None:
    box = outbox(b"a", b"b", b"c")
    taken(box)
    box.refused(2)
    assert taken(box) == [2, 3]


def test_a_control_message_waits_until_all_chunks_before_it_are_stored() -> None:
    box = outbox(b"a", b"b")
    box.order("finalize")
    box.put(b"c")
    assert taken(box) == [1, 2]
    box.acked(Ack(1, 0, 10))
    assert taken(box) == []
    box.acked(Ack(2, 0, 10))
    assert taken(box) == ["finalize", 3]


def test_a_control_message_is_repeated_until_a_later_chunk_is_stored() -> None:
    box = outbox(b"a")
    box.order("finalize")
    box.put(b"b")
    taken(box)
    box.acked(Ack(1, 0, 10))
    assert taken(box) == ["finalize", 2]
    box.attached(created(sequence_number=1, resend_from=2))
    assert taken(box) == ["finalize", 2]
    box.attached(created(sequence_number=2, resend_from=3))
    assert taken(box) == []


def test_a_finalize_behind_what_is_done_is_not_repeated() -> None:
    box = outbox(b"a")
    taken(box)
    box.order("finalize")
    box.acked(Ack(1, 1, 10))
    assert taken(box) == []


def test_stop_is_repeated_unless_the_server_is_finalizing() -> None:
    box = outbox(b"a")
    box.order("stop")
    taken(box)
    box.acked(Ack(1, 0, 10))
    assert taken(box) == ["stop"]
    box.attached(created(status="recording", sequence_number=1, resend_from=2))
    assert taken(box) == ["stop"]
    box.attached(created(status="finalizing", sequence_number=1, resend_from=2))
    assert taken(box) == []


def test_a_paused_container_is_replayed_when_there_is_something_new() -> None:
    box = outbox(b"a", b"b", container=True)
    taken(box)
    box.acked(Ack(2, 0, 10))
    box.order("pause")
    assert taken(box) == ["pause"]
    box.attached(created(status="paused", sequence_number=2, resend_from=1, container=True))
    assert taken(box) == []
    box.order("resume")
    box.put(b"c")
    assert taken(box) == ["resume", 1, 2, "pause", "resume", 3]


def test_a_chunk_refused_by_a_paused_server_follows_a_resume() -> None:
    box = outbox(b"a", b"b")
    taken(box)
    box.refused(2, paused=True)
    assert taken(box) == ["resume", 2]


def test_a_control_message_before_a_refused_chunk_has_arrived() -> None:
    box = outbox(b"a")
    box.order("finalize")
    box.put(b"b")
    taken(box)
    box.acked(Ack(1, 0, 10))
    assert taken(box) == ["finalize", 2]
    box.refused(2)
    assert taken(box) == [2]


def test_a_refused_control_message_is_repeated() -> None:
    box = outbox(b"a")
    box.order("stop")
    taken(box)
    box.acked(Ack(1, 0, 10))
    assert taken(box) == ["stop"]
    box.repeat_controls()
    assert taken(box) == ["stop"]


def test_a_pause_before_the_first_chunk_is_nobody_elses_business() -> None:
    box = outbox()
    box.order("pause")
    assert box.paused
    box.order("resume")
    box.put(b"a")
    assert taken(box) == [1]


def test_orders_that_change_nothing_are_left_out() -> None:
    box = outbox(b"a")
    taken(box)
    box.acked(Ack(1, 0, 10))
    box.order("resume")
    box.order("pause")
    box.order("pause")
    box.order("finalize")
    box.order("stop")
    box.order("stop")
    box.order("resume")
    assert taken(box) == ["pause", "stop"]


@pytest.mark.parametrize("action", ["pause", "stop"])
def test_no_audio_is_taken_while_paused_or_after_the_stop(action: str) -> None:
    box = outbox(b"a")
    box.order(action)  # type: ignore[arg-type]
    with pytest.raises(SessionError) as raised:
        box.put(b"b")
    assert raised.value.code == "illegal_transition"


def test_an_acknowledgement_that_moves_nothing_is_no_progress() -> None:
    box = outbox(b"a")
    taken(box)
    assert box.unanswered
    assert box.acked(Ack(1, 0, 10))
    assert not box.acked(Ack(1, 0, 20))
    assert not box.unanswered


def test_a_control_message_knows_its_place() -> None:
    box = outbox()
    box.order("stop")
    assert box.take() == Control("stop", 0)


def test_cutting_leaves_no_empty_piece() -> None:
    assert list(cut(b"abcdef", 3)) == [b"abc", b"def"]
    assert list(cut(b"abcd", 3)) == [b"abc", b"d"]
    assert list(cut(b"", 3)) == []
