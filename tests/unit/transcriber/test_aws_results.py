"""Results of Amazon Transcribe in the terms of recognition, its errors as decisions."""

from typing import Any

import pytest

pytest.importorskip("amazon_transcribe")

from amazon_transcribe import exceptions as sdk
from amazon_transcribe.deserialize import TranscribeStreamingEventParser
from awscrt.exceptions import AwsCrtError

from steno_transcriber.domain.results import HeardWord, Result
from steno_transcriber.engines.aws_errors import engine_error
from steno_transcriber.engines.aws_results import results


def item(content: str, start: float, end: float, **more: Any) -> dict[str, Any]:
    return {"Content": content, "Type": "pronunciation", "StartTime": start, "EndTime": end, **more}


def heard(*found: dict[str, Any]) -> list[Result]:
    """Read results as the SDK does."""
    body = {"Transcript": {"Results": list(found)}}
    parser: Any = TranscribeStreamingEventParser()
    return list(results(parser._parse_transcript_event(body)))


def test_items_are_words_and_punctuation_is_glued_to_the_word_before() -> None:
    (result,) = heard(
        {
            "ResultId": "a",
            "StartTime": 0.025,
            "EndTime": 4.5,
            "IsPartial": True,
            "LanguageCode": "en-US",
            "Alternatives": [
                {
                    "Transcript": "Yes, sir.",
                    "Items": [
                        {"Content": "-", "Type": "punctuation", "StartTime": 0, "EndTime": 0},
                        item("Yes", 0.025, 0.33, Confidence=0.99, Stable=True),
                        {"Content": ",", "Type": "punctuation", "StartTime": 0.33, "EndTime": 0.33},
                        item("sir", 0.4, 0.7, Confidence=1.2, Stable=False),
                        {"Content": ".", "Type": "punctuation", "StartTime": 0.7, "EndTime": 0.7},
                    ],
                },
                {"Transcript": "another", "Items": [item("another", 0, 1)]},
            ],
        }
    )
    assert result == Result(
        "a",
        0.025,
        4.5,
        (
            HeardWord("Yes,", 0.025, 0.33, 0.99, stable=True),
            HeardWord("sir.", 0.4, 0.7, 1.0, stable=False),
        ),
        final=False,
        language="en",
    )


def test_a_word_has_the_label_of_its_speaker_where_there_is_one() -> None:
    items = [
        item("Well", 0, 1, Speaker="0"),
        {"Content": "?", "Type": "punctuation", "StartTime": 1, "EndTime": 1, "Speaker": "1"},
        item("No", 1, 2, Speaker="1"),
        {"Content": ".", "Type": "punctuation", "StartTime": 2, "EndTime": 2},
        item("Ah", 2, 3),
        item("Oh", 3, 4, Speaker=""),
    ]
    (result,) = heard({"ResultId": "a", "Alternatives": [{"Items": items}]})
    assert [(word.text, word.speaker) for word in result.words] == [
        ("Well?", "0"), ("No.", "1"), ("Ah", None), ("Oh", None),
    ]  # fmt: skip


def test_a_result_with_nothing_in_it_has_no_words() -> None:
    assert heard() == []
    (result,) = heard({"ResultId": "a", "IsPartial": False, "Alternatives": []})
    assert result == Result("a", 0.0, 0.0, (), final=True)


@pytest.mark.parametrize(
    ("error", "opened", "code", "retryable"),
    [
        (sdk.LimitExceededException("x"), True, "engine_limited", True),
        (sdk.LimitExceededException("x"), False, "engine_limited", True),
        (sdk.ServiceUnavailableException("x"), True, "engine_unavailable", True),
        (sdk.InternalFailureException("x"), True, "engine_failed", True),
        (sdk.ConflictException("x"), True, "engine_failed", True),
        (sdk.BadRequestException("x"), False, "engine_refused", False),
        (sdk.BadRequestException("timed out"), True, "engine_failed", True),
        (sdk.SerializationException("x"), False, "engine_refused", False),
        (sdk.CredentialsException("x"), False, "engine_refused", False),
        (sdk.UnknownServiceException(403, "AccessDenied", "x"), False, "engine_refused", False),
        (sdk.UnknownServiceException(400, "ThrottlingException", "x"), False, "engine_limited",
         True),
        (sdk.UnknownServiceException(429, "?", "x"), False, "engine_limited", True),
        (sdk.UnknownServiceException(502, "?", "x"), False, "engine_unavailable", True),
        (AwsCrtError(1, "AWS_AUTH_CREDENTIALS", "x"), False, "engine_refused", False),
        (AwsCrtError(1, "AWS_ERROR_HTTP_GOAWAY", "x"), True, "engine_unavailable", True),
        (OSError("no route"), False, "engine_unavailable", True),
        (RuntimeError("Unexpected status code"), False, "engine_failed", True),
    ],
)  # fmt: skip
def test_an_error_carries_the_decision(
    error: Exception, opened: bool, code: str, retryable: bool
) -> None:
    found = engine_error(error, opened=opened)
    assert (found.code, found.retryable) == (code, retryable)
    assert found.message


@pytest.mark.parametrize(
    ("error", "about_engine"),
    [
        (sdk.BadRequestException("no such vocabulary"), False),
        (sdk.SerializationException("x"), False),
        (sdk.UnknownServiceException(404, "ResourceNotFound", "x"), False),
        (sdk.CredentialsException("x"), True),
        (sdk.UnknownServiceException(403, "UnrecognizedClientException", "x"), True),
        (sdk.UnknownServiceException(401, "?", "x"), True),
        (AwsCrtError(1, "AWS_AUTH_CREDENTIALS", "x"), True),
        (sdk.LimitExceededException("x"), True),
        (sdk.ServiceUnavailableException("x"), True),
        (OSError("no route"), True),
    ],
)
def test_only_what_was_asked_amiss_says_nothing_of_the_service(
    error: Exception, about_engine: bool
) -> None:
    assert engine_error(error, opened=False).about_engine == about_engine
