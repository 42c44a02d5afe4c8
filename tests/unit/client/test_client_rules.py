"""Backoff, messages, verdicts, cutting: the small rules."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_client.domain.backoff import Backoff
from steno_client.domain.conversation import Conversation, Reaction
from steno_client.domain.events import (
    Completed,
    Final,
    Partial,
    Prosody,
    Statistics,
    Status,
    Utterance,
    Warned,
    Word,
)
from steno_client.domain.fields import MessageError
from steno_client.domain.messages import (
    Ack,
    Checkpoint,
    Created,
    GoAway,
    Pong,
    ServerError,
    ServerMessage,
    chunk_frame,
    control,
    parse,
    ping,
)
from steno_client.domain.outbox import cut
from steno_client.domain.policy import Policy
from steno_client.domain.verdict import (
    Verdict,
    close_failure,
    pause_seconds,
    status_failure,
    verdict,
)
from steno_client.errors import SessionError

WORDS = [{"word": "a", "start": 0.5, "end": 1, "confidence": 0.25}]
RESULT = {
    "text_content": "a",
    "start_time": 0.5,
    "end_time": 1,
    "confidence": 0.25,
    "language": "en",
    "words": WORDS,
    "sequence_number": 7,
}
WORD = Word("a", 0.5, 1.0, 0.25)


def test_five_tries_in_a_row_and_no_more() -> None:
    backoff = Backoff()
    assert [backoff.delay() for _ in range(7)] == [1, 2, 4, 8, 16, None, None]


def test_progress_gives_all_tries_back() -> None:
    backoff = Backoff()
    backoff.delay()
    backoff.delay()
    backoff.progress()
    assert backoff.delay() == 1


def test_a_told_time_counts_as_a_try_and_a_plea_only_lengthens_the_delay() -> None:
    backoff = Backoff()
    assert backoff.delay(told=0.0) == 0
    assert backoff.delay(at_least=30.0) == 30
    assert backoff.delay(at_least=1.0) == 4


@given(st.binary(max_size=200), st.integers(1, 50))
def test_cutting_loses_nothing(audio: bytes, size: int) -> None:
    pieces = list(cut(audio, size))
    assert b"".join(pieces) == audio
    assert all(0 < len(piece) <= size for piece in pieces)


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        (
            "session_created",
            {
                "session_id": "s",
                "status": "paused",
                "epoch": "e",
                "sequence_number": 4,
                "done": 3,
                "credit": 600,
                "last_event": 2,
                "resend_from": 5,
                "container": True,
            },
            Created("s", "paused", "e", 4, 3, 600, 2, 5, container=True),
        ),
        ("session_created", {"session_id": "s", "status": "recording"}, Created("s", "recording")),
        ("ack", {"sequence_number": 4, "done": 3, "credit": 0}, Ack(4, 3, 0)),
        (
            "transcription_partial",
            RESULT | {"stability": 1},
            Partial("a", 0.5, 1.0, 0.25, 1.0, "en", (WORD,), 7),
        ),
        (
            "transcription_partial",
            RESULT | {"stability": 1, "prosody": {"volume": 0.5, "rate": 1, "energy": 0}},
            Partial("a", 0.5, 1.0, 0.25, 1.0, "en", (WORD,), 7, Prosody(0.5, 1.0, 0.0)),
        ),
        (
            "transcription_final",
            RESULT | {"event": 3, "prosody": {"volume": 0.5, "rate": 1, "energy": 0}},
            Final(3, "a", 0.5, 1.0, 0.25, "en", (WORD,), Prosody(0.5, 1.0, 0.0), 7),
        ),
        (
            "transcription_final",
            RESULT | {"event": 3, "words": [*WORDS, WORDS[0] | {"speaker": "0@1.5"}]},
            Final(3, "a", 0.5, 1.0, 0.25, "en", (WORD, replace(WORD, speaker="0@1.5")), None, 7),
        ),
        (
            "utterance",
            RESULT | {"event": 4, "index": 1, "first_event": 2, "last_event": 3},
            Utterance(4, 1, "a", 0.5, 1.0, 0.25, "en", 2, 3),
        ),
        (
            "utterance",
            RESULT | {"event": 4, "index": 1, "prosody": {"volume": 1, "rate": 2, "energy": 0.5}},
            Utterance(4, 1, "a", 0.5, 1.0, 0.25, "en", prosody=Prosody(1.0, 2.0, 0.5)),
        ),
        ("status", {"status": "paused", "event": 5}, Status("paused", 5)),
        ("status", {"status": "goaway", "in_ms": 1500}, GoAway(1500)),
        ("warning", {"code": "latency", "message": "m"}, Warned("latency", "m")),
        (
            "warning",
            {"code": "segment_skipped", "message": "m", "event": 3, "start_time": 1}
            | {"end_time": 2.5},
            Warned("segment_skipped", "m", 3, 1.0, 2.5),
        ),
        (
            "error",
            {"code": "rate_limited", "message": "m", "retryable": True, "resend_from": 3}
            | {"retry_after_ms": 200},
            ServerError("rate_limited", "m", retryable=True, resend_from=3, retry_after_ms=200),
        ),
        (
            "session_completed",
            {
                "event": 9,
                "session_id": "s",
                "text": "a b",
                "statistics": {
                    "audio_chunks": 2,
                    "received_seconds": 1.5,
                    "received_samples": 24000,
                },
                "downloads": {"txt": "/t"},
            },
            Completed(
                9,
                "s",
                "a b",
                Statistics(audio_chunks=2, received_seconds=1.5, received_samples=24000),
                {"txt": "/t"},
            ),
        ),
        ("pong", {"timestamp": 1}, Pong()),
        ("novelty", {"of": "a later version"}, None),
    ],
)
def test_messages_of_the_server(
    kind: str, fields: dict[str, object], message: ServerMessage | None
) -> None:
    assert parse(json.dumps({"type": f"server:{kind}", **fields})) == message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"type": 1}',
        '{"type": "server:ack"}',
        '{"type": "server:ack", "sequence_number": true, "done": 0, "credit": 0}',
        '{"type": "server:transcription_partial", "text_content": "", "words": {}}',
        '{"type": "server:session_completed", "event": 1, "downloads": {"txt": 1}}',
        '{"type": "server:error", "code": "internal", "retryable": "no"}',
    ],
)
def test_what_is_no_message_raises_the_one_error(text: str) -> None:
    with pytest.raises(MessageError):
        parse(text)


@given(st.text())
def test_any_text_is_a_message_or_the_one_error(text: str) -> None:
    try:
        parse(text)
    except MessageError:
        return


def test_messages_of_the_client() -> None:
    assert json.loads(control("stop")) == {"type": "client:control", "action": "stop"}
    assert json.loads(ping(1.5)) == {"type": "client:ping", "timestamp": 1.5}
    assert chunk_frame(258, b"ab") == b"\x00\x00\x01\x02ab"


@pytest.mark.parametrize(
    ("code", "retryable", "resend_from", "expected"),
    [
        ("sequence_gap", True, 3, Verdict.RESEND),
        ("backlog_full", True, 3, Verdict.RESEND),
        ("illegal_transition", False, 3, Verdict.RESEND),
        ("illegal_transition", False, None, Verdict.TELL),
        ("store_unavailable", True, None, Verdict.REPEAT),
        ("duration_limit", False, None, Verdict.END),
        ("too_many_chunks", False, 3, Verdict.END),
        ("undecodable_audio", False, None, Verdict.FAIL),
        ("chunk_too_large", False, 3, Verdict.FAIL),
    ],
)
def test_what_an_error_means(
    code: str, retryable: bool, resend_from: int | None, expected: Verdict
) -> None:
    assert verdict(ServerError(code, "", retryable, resend_from)) is expected


def test_the_pause_after_a_refusal() -> None:
    assert pause_seconds(ServerError("sequence_gap", "", retryable=True), 1.0) == 0
    assert pause_seconds(ServerError("backlog_full", "", retryable=True), 1.0) == 1
    limited = ServerError("rate_limited", "", retryable=True, retry_after_ms=250)
    assert pause_seconds(limited, 1.0) == 0.25


@pytest.mark.parametrize("code", [None, 1000, 1001, 1006, 1008, 1011, 1012, 1013, 4408])
def test_most_closed_connections_are_followed_by_another(code: int | None) -> None:
    assert close_failure(code) is None


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, "session_not_found"),
        (403, "unauthorized"),
        (409, "session_finished"),
        (418, "invalid_answer"),
    ],
)
def test_a_refused_handshake_that_stays_refused(status: int, code: str) -> None:
    failure = status_failure(status)
    assert failure is not None
    assert failure.code == code


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
def test_a_refused_handshake_that_is_worth_another_try(status: int) -> None:
    assert status_failure(status) is None


def conversation() -> Conversation:
    """A conversation with one chunk sent."""
    talk = Conversation(Policy(stall_seconds=30, patience_seconds=120), container=False)
    talk.heard(Created("s", "connected", "a", credit=10), 0.0)
    talk.outbox.put(b"a")
    talk.outbox.take()
    return talk


def test_a_transcript_without_all_the_audio_is_no_transcript() -> None:
    failure = conversation().heard(Completed(1, "s", ""), 0.0).failure
    assert failure is not None
    assert failure.code == "session_finished"


def test_a_status_is_no_progress_but_a_final_is() -> None:
    talk = conversation()
    talk.backoff.delay()
    talk.heard(Status("recording", 1), 0.0)
    assert talk.backoff.delay() == 2
    talk.heard(Final(2, "a", 0, 1, 1), 0.0)
    assert talk.backoff.delay() == 1


def test_an_unanswered_chunk_stalls_the_connection_after_a_while() -> None:
    talk = conversation()
    assert [talk.stalled(now) for now in (1000.0, 1030.0, 1031.0)] == [False, False, True]
    talk.heard(Ack(1, 0, 10), 1031.0)
    assert not talk.stalled(2000.0)


def test_refusals_without_progress_end_the_patience() -> None:
    talk = conversation()
    away = ServerError("store_unavailable", "m", retryable=True, resend_from=1)
    assert talk.heard(away, 500.0) == Reaction(hold=1.0)
    assert talk.heard(away, 620.0) == Reaction(hold=1.0)
    failure = talk.heard(away, 621.0).failure
    assert failure is not None
    assert failure.code == "store_unavailable"
    assert failure.retryable


def test_a_full_backlog_may_last_and_ends_with_an_acknowledgement() -> None:
    talk = conversation()
    full = ServerError("backlog_full", "", retryable=True, resend_from=1)
    assert talk.heard(full, 0.0) == Reaction(hold=1.0)
    assert talk.heard(full, 1000.0) == Reaction(hold=1.0)
    assert talk.heard(Ack(1, 0, 10), 1000.0) == Reaction(hold=0)
    assert talk.heard(Ack(1, 1, 10), 1000.0) == Reaction()


def test_a_server_that_knows_fewer_events_counts_on_from_there() -> None:
    talk = conversation()
    talk.heard(Created("s", "recording", "a"), 0.0)
    talk.heard(Final(7, "a", 0, 1, 1), 0.0)
    talk.heard(Created("s", "recording", "a", last_event=2), 0.0)
    assert talk.last_event == 2
    new = Final(3, "b", 1, 2, 1)
    assert talk.heard(new, 0.0).event == new


def kept(done: int = 2, event: int = 7) -> Conversation:
    """Give a conversation with a checkpoint."""
    talk = Conversation(Policy(), container=False, state="first")
    talk.heard(Created("s", "recording", "a", checkpoints=True), 0.0)
    for _ in range(done + 1):
        talk.outbox.put(b"x")
    talk.heard(Ack(done + 1, done, 5), 0.0)
    talk.heard(Checkpoint(done, event, "newest", "log"), 0.0)
    return talk


def test_a_session_is_resumed_behind_its_checkpoint_and_nothing_is_told_twice() -> None:
    talk = kept()
    finals = [Final(8, "a", 0, 1, 1), Final(9, "b", 1, 2, 1)]
    closed = Utterance(10, 0, "a b", 0, 2, 1, first_event=8, last_event=9)
    for event in (*finals, closed, Status("paused", 11)):
        assert talk.heard(event, 0.0).event == event
    assert (talk.last_event, talk.resume_from) == (11, 7)
    hello = Created("s", "recording", "b", 2, 2, last_event=7, resend_from=3, checkpoints=True)
    assert talk.heard(hello, 0.0).failure is None
    again = [Status("recording", 8), Final(9, "a", 0, 1, 1), Partial("b", 1, 2, 1, 0),
             Final(10, "b", 1, 2, 1), Utterance(11, 0, "a b", 0, 2, 1)]  # fmt: skip
    assert [talk.heard(event, 0.0).event for event in again] == [None] * 5
    new = [Partial("c", 2, 3, 1, 0), Final(12, "c", 2, 3, 1), Utterance(13, 1, "c", 2, 3, 1)]
    assert [talk.heard(event, 0.0).event for event in new] == new


@pytest.mark.parametrize(("done", "event"), [(1, 7), (2, 6)])
def test_a_server_that_stands_behind_the_checkpoint_has_lost_something(
    done: int, event: int
) -> None:
    hello = Created("s", "recording", "a", 3, done, last_event=event, resend_from=4,
                    checkpoints=True)  # fmt: skip
    failure = kept().heard(hello, 0.0).failure
    assert failure is not None
    assert failure.code == "audio_forgotten"


def test_a_server_without_checkpoints_is_talked_to_without() -> None:
    talk = kept()
    talk.heard(Created("s", "recording", "a", 3, 2, last_event=7, resend_from=4), 0.0)
    assert talk.kept is None
    assert talk.resume_from == talk.last_event == 0
    talk.heard(Ack(3, 3, 5), 0.0)
    with pytest.raises(SessionError):
        talk.outbox.refused(3)


def test_a_listener_hears_a_new_epoch_from_the_first_event_on() -> None:
    talk = conversation()
    talk.heard(Created("s", "recording", "a", last_event=0), 0.0)
    told = Final(9, "a", 0, 1, 1)
    assert talk.heard(told, 0.0).event == told
    talk.heard(Created("s", "recording", "b", last_event=20), 0.0)
    assert talk.resume_from == 0
    assert talk.heard(Final(4, "a", 0, 1, 1), 0.0).event is None
    new = Final(5, "b", 1, 2, 1)
    assert talk.heard(new, 0.0).event == new


def test_a_broken_session_is_not_resumed() -> None:
    failure = conversation().heard(Created("s", "error", "a"), 0.0).failure
    assert failure is not None
    assert failure.code == "session_failed"
