"""R5: what an answer of a receiver means: taken, again later, never, gone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_notifier.domain.answers import judge, judge_aws, wait_asked
from steno_notifier.domain.outgoing import Verdict

NOW = 1_700_000_000.0
"""Tue, 14 Nov 2023 22:13:20 GMT."""


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_success_is_any_of_the_two_hundreds(status: int) -> None:
    assert judge(status) == Verdict("delivered")


def test_a_receiver_that_is_gone_says_so() -> None:
    assert judge(410) == judge(410, refusal_is_final=True) == Verdict("gone", "http_410")


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_receiver_that_is_busy_says_when_to_come_again(status: int) -> None:
    assert judge(status, "120") == Verdict("again", f"http_{status}", 120.0)
    assert judge(status, refusal_is_final=True) == Verdict("again", f"http_{status}")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_a_refusal_is_final_for_a_pipeline_only(status: int) -> None:
    """R3: client errors are not retried; a webhook's receiver may be in the midst of a change."""
    assert judge(status).kind == "again"
    assert judge(status, refusal_is_final=True) == Verdict("never", f"http_{status}")


@pytest.mark.parametrize("status", [101, 301, 302, 307, 308])
def test_anything_but_success_is_a_failure(status: int) -> None:
    assert judge(status).kind == "again"
    assert judge(status, refusal_is_final=True).kind == "never"


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("0", 0.0), ("7", 7.0), (" 7 ", 7.0), ("1.5", 1.5), ("-3", 0.0), ("9999999", 86_400.0),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0), ("Tue, 14 Nov 2023 22:13:50 -0000", 30.0),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0.0), ("soon", 0.0), ("", 0.0), ("nan", 0.0),
        ("inf", 0.0), ("1e999", 0.0), ("٣", 0.0), ("Fri, 99 Foo 2023 99:99:99 GMT", 0.0),
    ],
)  # fmt: skip
def test_a_wait_is_read_in_seconds_or_from_a_date(asked: str, seconds: float) -> None:
    assert wait_asked(asked, NOW) == seconds


@given(st.text(max_size=60), st.integers(100, 599), st.booleans())
def test_no_answer_is_beyond_judgement(asked: str, status: int, final: bool) -> None:
    verdict = judge(status, asked, NOW, refusal_is_final=final)
    assert 0 <= verdict.after_seconds <= 86_400
    assert verdict.reason in ("", f"http_{status}")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ServiceUnavailable", 503), ("TooManyRequestsException", 429), ("Throttling", 400),
        ("ServiceException", 500), ("Unheard", 500), ("EC2ThrottledException", 502),
    ],
)  # fmt: skip
def test_trouble_of_aws_is_tried_again(code: str, status: int) -> None:
    assert judge_aws(code, status) == Verdict("again", f"aws_{code}")


@pytest.mark.parametrize(
    ("code", "status"),
    [("ResourceNotFoundException", 404), ("InvalidRequestContentException", 400),
     ("AccessDeniedException", 403), ("RequestTooLargeException", 413)],
)  # fmt: skip
def test_what_aws_refuses_is_never_tried_again(code: str, status: int) -> None:
    assert judge_aws(code, status) == Verdict("never", f"aws_{code}")


def test_a_reason_is_a_code_whatever_an_answer_says() -> None:
    assert judge_aws("some text\nof theirs", 400) == Verdict("never", "http_400")
