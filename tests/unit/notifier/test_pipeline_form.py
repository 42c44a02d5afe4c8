"""R3: what each transcript says to the translation pipeline."""

import json

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.notifier.parcels import (
    MADE,
    NAMED,
    SESSION,
    final,
    finals,
    parcel,
    partial,
    partials,
    spoken,
)

from steno_common.messages import Final, Partial, Prosody, Session
from steno_notifier.domain.pipeline_form import pipeline_form

FIELDS = {"sessionId", "sourceLanguage", "transcriptText", "isPartial", "stabilityScore",
          "timestamp", "emotionDynamics"}  # fmt: skip


def read(event: Final | Partial, session: Session = SESSION) -> dict[str, object]:
    body = pipeline_form(parcel(event, session=session, kind="pipeline"))
    return dict(json.loads(body or b""))


def test_a_final_has_exactly_the_fields_of_the_contract() -> None:
    assert read(final("guten Morgen", language="de", prosody=Prosody(0.25, 1.5, 0.75)), NAMED) == {
        "sessionId": "golden-eagle-427",
        "sourceLanguage": "de",
        "transcriptText": "guten Morgen",
        "isPartial": False,
        "stabilityScore": 1.0,
        "timestamp": MADE,
        "emotionDynamics": {"volume": 0.25, "rate": 1.5, "energy": 0.75},
    }


def test_a_session_without_a_name_goes_by_its_id() -> None:
    assert read(final())["sessionId"] == SESSION.session_id


def test_what_was_not_measured_is_neutral() -> None:
    assert read(final())["emotionDynamics"] == {"volume": 0.5, "rate": 1.0, "energy": 0.5}


def test_a_partial_says_how_stable_it_is() -> None:
    said = read(partial(stability=0.66666))
    assert (said["isPartial"], said["stabilityScore"]) == (True, 0.667)


def test_the_language_is_the_one_found_else_the_one_asked_for_else_to_be_found() -> None:
    many = Session("s", 0, "audio/wav", language="multi")
    asked = Session("s", 0, "audio/wav", language="pt-BR")
    assert read(final(language="en"), asked)["sourceLanguage"] == "en"
    assert read(final(language=None), asked)["sourceLanguage"] == "pt-BR"
    assert read(final(language=None), many)["sourceLanguage"] == "auto"
    assert read(final(language=None))["sourceLanguage"] == "auto"


def test_only_transcripts_go_to_a_pipeline() -> None:
    assert pipeline_form(spoken(final())) is None


@given(st.one_of(finals, partials))
def test_the_fields_and_bounds_hold_for_every_transcript(event: Final | Partial) -> None:
    said = json.loads(pipeline_form(parcel(event)) or b"")
    assert set(said) == FIELDS
    assert 0 <= said["stabilityScore"] <= 1
    dynamics = said["emotionDynamics"]
    assert set(dynamics) == {"volume", "rate", "energy"}
    assert 0 <= dynamics["volume"] <= 1
    assert 0.5 <= dynamics["rate"] <= 2
    assert 0 <= dynamics["energy"] <= 1
    assert pipeline_form(parcel(event)) == pipeline_form(parcel(event))
