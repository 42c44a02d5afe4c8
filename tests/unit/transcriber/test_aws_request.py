"""What Amazon Transcribe is asked for."""

from typing import Any

import pytest

from steno_transcriber.domain.hypothesis import Options
from steno_transcriber.engines.aws_request import request
from steno_transcriber.engines.aws_settings import AwsSettings
from steno_transcriber.engines.base import EngineRefused


def asked(options: Options | None = None, **settings: Any) -> dict[str, Any]:
    """Give what is asked for, without what is left open."""
    found = request(AwsSettings(**settings), options or Options())
    return {name: value for name, value in found.items() if value is not None}


USUAL = {
    "media_sample_rate_hz": 16_000,
    "media_encoding": "pcm",
    "enable_partial_results_stabilization": True,
    "partial_results_stability": "high",
}


def test_a_language_is_asked_for_with_its_usual_region() -> None:
    assert asked(Options(language="ja")) == {**USUAL, "language_code": "ja-JP"}


@pytest.mark.parametrize(
    ("options", "settings", "code"),
    [
        (Options(language="en", locale="en-GB"), {}, "en-GB"),
        (Options(language="en", locale="en"), {}, "en-US"),
        (Options(language="zh", locale="zh-Hant-tw"), {}, "zh-TW"),
        (Options(language="de", locale="de-AT"), {}, "de-DE"),
        (Options(language="en", locale="en-us"), {"aws_language_options": "en-GB"}, "en-US"),
        (Options(language="en"), {"aws_language_options": "de-CH, en-AU"}, "en-AU"),
        (Options(language="xx"), {}, "xx"),
    ],
)
def test_a_region_is_the_session_s_own_else_that_of_the_settings_else_the_usual_one(
    options: Options, settings: dict[str, str], code: str
) -> None:
    assert asked(options, **settings)["language_code"] == code


def test_a_language_that_is_not_told_is_identified_among_several() -> None:
    assert asked(aws_language_options="en-US,es-ES", aws_preferred_language="es-ES") == {
        **USUAL,
        "identify_language": True,
        "language_options": ["en-US", "es-ES"],
        "preferred_language": "es-ES",
    }


def test_many_languages_are_identified_as_they_change() -> None:
    found = asked(Options(language="multi"))
    assert found["identify_multiple_languages"] is True
    assert "language_code" not in found
    assert "identify_language" not in found


def test_fewer_than_two_languages_to_tell_apart_are_refused() -> None:
    with pytest.raises(EngineRefused, match="STENO_AWS_LANGUAGE_OPTIONS"):
        asked(aws_language_options="en-US")


def test_speakers_are_told_apart_only_where_the_settings_say_so() -> None:
    assert asked(Options(language="en"), aws_speaker_labels=True) == {
        **USUAL,
        "language_code": "en-US",
        "show_speaker_label": True,
    }
    assert asked(aws_speaker_labels=True)["show_speaker_label"] is True


def test_vocabularies_and_filters_are_one_or_one_for_each_language() -> None:
    settings = {"aws_vocabulary": "names", "aws_vocabulary_filter": "rude"}
    one = asked(Options(language="en"), **settings, aws_language_model="law")
    assert one["vocabulary_name"] == "names"
    assert one["vocab_filter_name"] == "rude"
    assert one["vocab_filter_method"] == "mask"
    assert one["language_model_name"] == "law"
    many = asked(aws_vocabulary="names, nombres", aws_language_model="law")
    assert many["vocabulary_names"] == ["names", "nombres"]
    assert "vocab_filter_method" not in many
    assert "language_model_name" not in many


def test_stabilisation_can_be_left_out() -> None:
    found = asked(Options(language="en"), aws_stability="off")
    assert "enable_partial_results_stabilization" not in found
    assert "partial_results_stability" not in found
