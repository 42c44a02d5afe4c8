"""R1: result texts with a timestamp HH:MM:SS.mmm go to a second server after three seconds."""

import json
import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.notifier.parcels import NAMED, SESSION, final, finals, moments, parcel, spoken

from steno_common.messages import Final
from steno_common.public import time_of_day
from steno_notifier.domain.relay_form import relay_form


def test_a_message_holds_the_texts_since_the_last_one_each_with_its_time_of_day() -> None:
    sent = spoken(final("good"), final("morning", 40_000, 1_700_000_006_001), index=3)
    assert json.loads(relay_form(sent) or b"") == {
        "id": f"{SESSION.session_id}-utterance-3",
        "session_id": SESSION.session_id,
        "session_name": None,
        "utterance": 3,
        "items": [
            {"timestamp": "22:13:25.250", "text": "good", "start_time": 1.0, "end_time": 1.5},
            {"timestamp": "22:13:26.001", "text": "morning", "start_time": 2.5, "end_time": 3.0},
        ],
    }


def test_a_session_with_a_name_is_called_by_it_too() -> None:
    body = json.loads(relay_form(spoken(final(), session=NAMED)) or b"")
    assert (body["session_id"], body["session_name"]) == (NAMED.session_id, "golden-eagle-427")


def test_only_an_utterance_is_relayed() -> None:
    assert relay_form(parcel(final(), kind="relay")) is None


def test_the_last_millisecond_of_a_day_stays_in_it() -> None:
    midnight = 1_700_006_400_000
    assert time_of_day(midnight - 1) == "23:59:59.999"
    assert time_of_day(midnight) == "00:00:00.000"


@given(moments)
def test_a_time_of_day_is_always_twelve_characters(made: int) -> None:
    text = time_of_day(made)
    assert re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}", text)
    day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=made)
    assert text.endswith(f"{day.microsecond // 1000:03}")


@given(st.lists(finals, min_size=1, max_size=20))
def test_every_text_is_kept_in_order_with_the_same_bytes_on_every_try(said: list[Final]) -> None:
    body = relay_form(spoken(*said))
    assert body == relay_form(spoken(*said))
    assert [item["text"] for item in json.loads(body or b"")["items"]] == [
        one.text for one in said
    ]  # fmt: skip
