"""What may be asked of a stream, and what is refused."""

from uuid import UUID

import pytest
from tests.fake_transcribe.errors import ServiceError
from tests.fake_transcribe.parameters import PREFIX, Parameters, parse

SESSION = "12345678-1234-4123-8123-1234567890ab"
PLAIN = {"language-code": "en-US", "sample-rate": "16000", "media-encoding": "pcm"}
FOUND = {"identify-language": "true", "language-options": "en-US,de-DE"}


def parsed(**given: str | None) -> Parameters:
    """Parse the plain parameters with some changed or, by None, left out."""
    asked = PLAIN | {name.replace("_", "-"): value for name, value in given.items()}
    headers = [(PREFIX + name, value) for name, value in asked.items() if value is not None]
    return parse([("host", "localhost"), *headers])


def test_a_plain_stream_gets_a_session_of_its_own() -> None:
    first, second = parsed(), parsed()
    assert UUID(first.session_id) != UUID(second.session_id)
    assert (first.encoding, first.rate, first.language, first.channels) == (
        "pcm",
        16_000,
        "en-US",
        1,
    )
    assert first.stability is None


def test_what_was_asked_is_said_back_with_booleans_in_lower_case() -> None:
    assert parsed(session_id=SESSION, show_speaker_label="True").answer == [
        ("x-amzn-transcribe-language-code", "en-US"),
        ("x-amzn-transcribe-sample-rate", "16000"),
        ("x-amzn-transcribe-media-encoding", "pcm"),
        ("x-amzn-transcribe-session-id", SESSION),
        ("x-amzn-transcribe-show-speaker-label", "true"),
    ]


@pytest.mark.parametrize("spelling", ["True", "true"])
def test_both_spellings_of_a_boolean_mean_it(spelling: str) -> None:
    assert parsed(show_speaker_label=spelling).speakers
    assert parsed(enable_channel_identification=spelling, number_of_channels="2").channels == 2
    assert parsed(enable_partial_results_stabilization=spelling).stability == "high"


@pytest.mark.parametrize("spelling", ["False", "false"])
def test_a_boolean_that_is_false_is_as_good_as_none(spelling: str) -> None:
    plain = parsed(
        identify_language=spelling,
        identify_multiple_languages=spelling,
        show_speaker_label=spelling,
        enable_channel_identification=spelling,
        enable_partial_results_stabilization=spelling,
        partial_results_stability="low",
    )
    assert (plain.speakers, plain.channels, plain.stability) == (False, 1, None)


def test_languages_to_choose_from() -> None:
    one = parsed(language_code=None, preferred_language="de-DE", **under(FOUND))
    assert (one.language, one.options, one.preferred, one.many_languages) == (
        None,
        ("en-US", "de-DE"),
        "de-DE",
        False,
    )
    many = {"identify-multiple-languages": "True", "language-options": "en-US, fr-FR ,de-DE"}
    several = parsed(language_code=None, **under(many))
    assert (several.options, several.many_languages) == (("en-US", "fr-FR", "de-DE"), True)


def under(given: dict[str, str]) -> dict[str, str]:
    return {name.replace("-", "_"): value for name, value in given.items()}


@pytest.mark.parametrize("stability", ["high", "medium", "low"])
def test_the_stability_is_what_was_asked(stability: str) -> None:
    asked = parsed(enable_partial_results_stabilization="true", partial_results_stability=stability)
    assert asked.stability == stability


@pytest.mark.parametrize("rate", ["8000", "48000"])
def test_rates_up_to_the_bounds_are_taken(rate: str) -> None:
    assert parsed(sample_rate=rate).rate == int(rate)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"language-code": None}, "Exactly one of"),
        ({"identify-language": "true"}, "Exactly one of"),
        ({"identify-multiple-languages": "True"}, "Exactly one of"),
        (
            {"language-code": None, "identify-multiple-languages": "true", **FOUND},
            "Exactly one of",
        ),
        ({"language-code": "en"}, "language en is not supported"),
        ({"language-code": "xx-YY"}, "language xx-YY is not supported"),
        ({"language-options": "en-US,de-DE"}, "none of several"),
        ({"vocabulary-names": "a"}, "none of several"),
        ({"vocabulary-filter-names": "a"}, "none of several"),
        ({"language-code": None, **FOUND, "language-options": "en-US"}, "at least two"),
        ({"language-code": None, "identify-language": "true"}, "at least two"),
        ({"language-code": None, **FOUND, "language-options": "en-US,en-GB"}, "one dialect"),
        ({"language-code": None, **FOUND, "language-options": "en-US,xx-YY"}, "xx-YY"),
        ({"language-code": None, **FOUND, "preferred-language": "fr-FR"}, "must be one of lang"),
        ({"language-code": None, **FOUND, "vocabulary-name": "a"}, "given by language"),
        ({"language-code": None, **FOUND, "vocabulary-filter-name": "a"}, "given by language"),
        ({"language-code": None, **FOUND, "language-model-name": "a"}, "given by language"),
        ({"sample-rate": None}, "sample-rate must be"),
        ({"sample-rate": "7999"}, "sample-rate must be"),
        ({"sample-rate": "48001"}, "sample-rate must be"),
        ({"sample-rate": "16 kHz"}, "sample-rate must be"),
        ({"media-encoding": None}, "media-encoding is missing"),
        ({"media-encoding": "mp3"}, "media-encoding must be one of pcm"),
        ({"session-id": "golden-eagle-427"}, "session-id must be a UUID"),
        ({"session-id": SESSION.replace("-", "")}, "session-id must be a UUID"),
        ({"session-id": "{" + SESSION + "}"}, "session-id must be a UUID"),
        (
            {
                "show-speaker-label": "true",
                "enable-channel-identification": "true",
                "number-of-channels": "2",
            },
            "show-speaker-label cannot be used together",
        ),
        ({"enable-channel-identification": "true"}, "need each other"),
        ({"number-of-channels": "2"}, "need each other"),
        (
            {"enable-channel-identification": "true", "number-of-channels": "3"},
            "number-of-channels must be",
        ),
        (
            {"enable-channel-identification": "true", "number-of-channels": "1"},
            "number-of-channels must be",
        ),
        ({"partial-results-stability": "highest"}, "partial-results-stability must be"),
        ({"vocabulary-filter-method": "hide"}, "vocabulary-filter-method must be"),
        (
            {"content-identification-type": "PII", "content-redaction-type": "PII"},
            "content-identification-type cannot be used together",
        ),
        ({"content-redaction-type": "PHI"}, "content-redaction-type must be"),
        ({"pii-entity-types": "NAME"}, "pii-entity-types needs"),
        ({"transcript-format": "sung"}, "transcript-format must be"),
    ],
)
def test_what_contradicts_itself_is_refused(given: dict[str, str | None], said: str) -> None:
    with pytest.raises(ServiceError, match=said) as refused:
        parsed(**{name.replace("-", "_"): value for name, value in given.items()})
    assert (refused.value.name, refused.value.status) == ("BadRequestException", 400)
