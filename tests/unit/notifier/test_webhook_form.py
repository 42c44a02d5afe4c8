"""R5: signed webhooks; each body is read by the CloudEvents SDK."""

import json

from cloudevents.v1.http import from_http
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.notifier.parcels import (
    NAMED,
    SESSION,
    STATISTICS,
    events,
    final,
    parcel,
    partial,
    spoken,
)

from steno_common.messages import Completed, Event, Idle, Status, Translation, Warned, Word
from steno_common.public import event_message
from steno_notifier.domain.webhook_form import CONTENT_TYPE, LARGE_BYTES, webhook_form

SID = SESSION.session_id


def test_a_final_is_a_cloud_event_whose_data_are_what_clients_read() -> None:
    event = final()
    assert json.loads(webhook_form(parcel(event)) or b"") == {
        "specversion": "1.0",
        "id": f"{SID}-final-16000",
        "source": f"/api/streaming/sessions/{SID}",
        "type": "dev.steno.session.final.v1",
        "subject": SID,
        "time": "2023-11-14T22:13:25.250Z",
        "datacontenttype": "application/json",
        "sequence": "0000000007",
        "data": event_message(SID, 7, event),
    }


def test_the_subject_is_what_its_users_call_the_session() -> None:
    body = json.loads(webhook_form(parcel(Status("paused"), session=NAMED)) or b"")
    assert body["subject"] == "golden-eagle-427"
    assert body["source"].endswith(NAMED.session_id)


def test_the_time_of_an_utterance_is_that_of_its_newest_final() -> None:
    sent = spoken(final(made=1_000), final(start=40_000, made=3_000))
    assert json.loads(webhook_form(sent) or b"")["time"] == "1970-01-01T00:00:03.000Z"


def test_an_event_of_which_the_log_tells_no_time_has_none() -> None:
    for event in (Status("paused"), Warned("code", "text"), Completed("", STATISTICS, ())):
        assert "time" not in json.loads(webhook_form(parcel(event)) or b"")


def test_what_only_services_need_is_not_sent() -> None:
    assert webhook_form(parcel(Idle(16_000))) is None
    assert webhook_form(parcel(partial())) is None


def test_a_final_that_would_be_too_large_goes_without_its_words() -> None:
    words = tuple(Word("word", 0, 1, 0.5) for _ in range(500))
    body = webhook_form(parcel(final("text", words=words))) or b""
    assert len(body) < LARGE_BYTES
    assert json.loads(body)["data"]["text_content"] == "text"
    assert "words" not in json.loads(body)["data"]


def test_the_text_of_a_long_session_is_never_cut() -> None:
    text = "word " * 9_000
    body = webhook_form(parcel(Completed(text, STATISTICS, ("txt",)))) or b""
    assert json.loads(body)["data"]["text"] == text


@given(events, st.integers(1, 10**9), st.integers(0, 20))
def test_every_event_is_read_by_the_sdk_with_the_same_bytes_on_every_try(
    event: Event, number: int, tries: int
) -> None:
    first = parcel(event, number=number)
    body = webhook_form(first)
    assert body == webhook_form(parcel(event, number=number))
    assert body is not None
    read = from_http({"content-type": CONTENT_TYPE}, body)
    assert (read["id"], read["subject"]) == (first.id, SID)
    assert read["type"].startswith("dev.steno.session.")
    assert read["sequence"] == f"{number:010}"
    assert "." not in read["id"]
    if not isinstance(event, Translation):
        assert read.data == event_message(SID, number, event)


def test_a_translation_says_which_final_it_is_of() -> None:
    body = json.loads(webhook_form(parcel(Translation("es", "hola", 5, 1_000), number=9)) or b"")
    assert (body["type"], body["time"]) == (
        "dev.steno.session.translation.v1", "1970-01-01T00:00:01.000Z",
    )  # fmt: skip
    assert body["data"] == {
        "type": "server:translation", "session_id": SID, "event": 9, "language": "es",
        "text_content": "hola", "of": 5, "created_at": "1970-01-01T00:00:01.000Z",
    }  # fmt: skip
