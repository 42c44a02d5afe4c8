"""Results look as those of the service do."""

from typing import Any
from uuid import UUID

import pytest
from tests.fake_transcribe.hearing import Heard, spread
from tests.fake_transcribe.parameters import Parameters, Stability
from tests.fake_transcribe.results import Form, event

PLAIN = Parameters("session", "pcm", 16_000, "en-US")


def heard(text: str, *, final: bool = False, agreed: int = 0, language: str = "en") -> Heard:
    """Let each word take a second, beginning at second 2."""
    words = spread(text, 32_000, 32_000 + 16_000 * len(text.split()), 0.9)
    return Heard(32_000, 48_000, words, final, agreed, language, 0.87654)


def items(result: dict[str, Any]) -> list[dict[str, Any]]:
    given: list[dict[str, Any]] = result["Alternatives"][0]["Items"]
    return given


def test_a_final_result_is_written_out() -> None:
    result = Form(PLAIN, 0).result(heard("Hello there.", final=True))
    assert UUID(result.pop("ResultId"))
    assert result == {
        "StartTime": 2.0,
        "EndTime": 3.0,
        "IsPartial": False,
        "Alternatives": [
            {
                "Transcript": "Hello there.",
                "Items": [
                    {
                        "Content": "Hello",
                        "Type": "pronunciation",
                        "StartTime": 2.0,
                        "EndTime": 3.0,
                        "VocabularyFilterMatch": False,
                        "Confidence": 0.9,
                    },
                    {
                        "Content": "there",
                        "Type": "pronunciation",
                        "StartTime": 3.0,
                        "EndTime": 4.0,
                        "VocabularyFilterMatch": False,
                        "Confidence": 0.9,
                    },
                    {
                        "Content": ".",
                        "Type": "punctuation",
                        "StartTime": 4.0,
                        "EndTime": 4.0,
                        "VocabularyFilterMatch": False,
                    },
                ],
            }
        ],
    }


def test_a_segment_keeps_its_id_up_to_its_final() -> None:
    form = Form(PLAIN, 0)
    said = [
        heard("a"),
        heard("a b"),
        heard("a b c", final=True),
        heard("d"),
        heard("d", final=True),
    ]
    ids = [form.result(each)["ResultId"] for each in said]
    assert ids == [ids[0]] * 3 + [ids[3]] * 2
    assert ids[0] != ids[3]


def test_what_may_change_has_no_confidence() -> None:
    result = Form(PLAIN, 0).result(heard("hello there"))
    assert result["IsPartial"] is True
    assert ["Confidence" in item for item in items(result)] == [False, False]


@pytest.mark.parametrize(
    ("text", "contents", "transcript"),
    [
        ("¿Qué?", ["¿Qué", "?"], "¿Qué?"),
        ("well... 3.5 km,", ["well", ".", ".", ".", "3.5", "km", ","], "well... 3.5 km,"),
        ("1 ? 3", ["1", "?", "3"], "1 ? 3"),
        ("", [], ""),
    ],
)
def test_marks_behind_a_word_are_items_of_their_own(
    text: str, contents: list[str], transcript: str
) -> None:
    result = Form(PLAIN, 0).result(heard(text, final=True))
    assert [item["Content"] for item in items(result)] == contents
    assert result["Alternatives"][0]["Transcript"] == transcript


@pytest.mark.parametrize(("stability", "stable"), [("high", 4), ("medium", 3), ("low", 1)])
def test_stability_says_how_many_words_are_stable(stability: Stability, stable: int) -> None:
    form = Form(Parameters("s", "pcm", 16_000, "en-US", stability=stability), 0)
    result = form.result(heard("a b c d, e", agreed=4))
    flags = {item["Content"]: item["Stable"] for item in items(result)}
    assert flags == {
        word: place < stable for place, word in enumerate("abcde")
    } | {",": stable == 4}  # fmt: skip
    assert ["Confidence" in each for each in items(result) if each["Content"] != ","] == [
        place < stable for place in range(5)
    ]
    assert all(item["Stable"] for item in items(form.result(heard("a b c d e", final=True))))


def test_without_stabilisation_there_is_no_flag() -> None:
    result = Form(PLAIN, 0).result(heard("a b", agreed=2))
    assert all("Stable" not in item for item in items(result))


def test_a_stable_word_never_changes() -> None:
    form = Form(Parameters("s", "pcm", 16_000, "en-US", stability="high"), 0)
    said = [
        heard("a b c", agreed=2),
        heard("a x c d", agreed=1),
        heard("z z z", final=True),
        heard("z"),
    ]
    texts = [form.result(each)["Alternatives"][0]["Transcript"] for each in said]
    assert texts == ["a b c", "a b c d", "a b z", "z"]


def test_the_language_is_said_where_it_was_to_be_found() -> None:
    found = Parameters("s", "pcm", 16_000, None, options=("de-DE", "en-GB"))
    result = Form(found, 0).result(heard("hello", language="en"))
    assert result["LanguageCode"] == "en-GB"
    assert result["LanguageIdentification"] == [{"LanguageCode": "en-GB", "Score": 0.8765}]
    other = Form(found, 0).result(heard("bonjour", language="fr"))
    assert other["LanguageCode"] == "de-DE"


def test_speakers_take_turns_where_they_are_asked_for() -> None:
    form = Form(Parameters("s", "pcm", 16_000, "en-US", speakers=True), 0)
    said = [heard("a"), heard("a b.", final=True), heard("c", final=True), heard("d", final=True)]
    speakers = [[item.get("Speaker") for item in items(form.result(each))] for each in said]
    assert speakers == [["0"], ["0", "0", None], ["1"], ["0"]]


def test_channels_are_named_where_they_are_apart() -> None:
    two = Parameters("s", "pcm", 16_000, "en-US", channels=2)
    assert [Form(two, channel).result(heard("a"))["ChannelId"] for channel in (0, 1)] == [
        "ch_0",
        "ch_1",
    ]
    assert "ChannelId" not in Form(PLAIN, 0).result(heard("a"))


def test_an_event_may_have_no_results() -> None:
    assert event() == {"Transcript": {"Results": []}}
