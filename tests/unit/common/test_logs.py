"""Logs say what happened, never what was said."""

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp.http_exceptions import LineTooLong
from aiohttp.web import RequestPayloadError

from steno_common import logs
from steno_common.logs import FIELDS, ConsoleFormatter, JsonFormatter, about, session_tag

CANARY = "".join(f"canary {n:04}\n" for n in range(900))
"""About 10 kB in lines."""

formatters = pytest.mark.parametrize(
    "formatter", [JsonFormatter("gateway"), ConsoleFormatter("gateway")],
    ids=["json", "console"],
)  # fmt: skip


def record(message: str, *args: Any, cause: BaseException | None = None, **extra: Any
           ) -> logging.LogRecord:  # fmt: skip
    """Make a record as a log call makes it."""
    exc_info = (type(cause), cause, cause.__traceback__) if cause else None
    return logging.getLogger("test").makeRecord(
        "test", logging.WARNING, "file.py", 1, message, args, exc_info, extra=extra
    )


def raised(error: BaseException) -> BaseException:
    """Give an error with a traceback."""
    try:
        raise error
    except BaseException as caught:  # noqa: BLE001
        return caught


def test_a_json_line_has_time_level_service_event_then_fields() -> None:
    made = record("lease lost", **about("golden-eagle-427", shard=3, seconds=1.5))
    made.created, made.msecs = 1_700_000_000.25, 250.0
    assert json.loads(JsonFormatter("transcriber").format(made)) == {
        "time": "2023-11-14T22:13:20.250Z", "level": "warning", "service": "transcriber",
        "event": "lease lost", "session": session_tag("golden-eagle-427"), "shard": 3,
        "seconds": 1.5,
    }  # fmt: skip


def test_a_console_line_is_for_people() -> None:
    line = ConsoleFormatter("transcriber").format(record("lease %s", "lost", shard=3))
    assert line.endswith(" warning transcriber: lease lost shard=3")


def test_a_session_is_named_by_a_short_hash_alone() -> None:
    assert session_tag("golden-eagle-427") == session_tag("golden-eagle-427")
    assert len(session_tag("golden-eagle-427")) == 10
    assert "golden-eagle-427" not in str(about("golden-eagle-427"))


@formatters
def test_a_field_that_is_not_listed_is_not_written(formatter: logging.Formatter) -> None:
    assert "canary" not in formatter.format(record("said", text="canary", token="canary"))


@formatters
@pytest.mark.parametrize("field", FIELDS)
def test_a_listed_field_is_cut(formatter: logging.Formatter, field: str) -> None:
    extra: dict[str, Any] = {field: CANARY}
    line = formatter.format(record("said", **extra))
    assert "canary 0000" in line
    assert len(line) < 600


@formatters
def test_a_listed_field_is_cut_whatever_its_type(formatter: logging.Formatter) -> None:
    for value in (ValueError(CANARY), [CANARY], {"text": CANARY}):
        assert len(formatter.format(record("said", reason=value))) < 600


@formatters
def test_an_event_is_cut(formatter: logging.Formatter) -> None:
    assert len(formatter.format(record("said %s", CANARY))) < 500


@formatters
def test_the_message_of_an_exception_is_cut_but_its_place_is_kept(
    formatter: logging.Formatter,
) -> None:
    line = formatter.format(record("failed", cause=raised(ValueError(CANARY))))
    assert "ValueError: canary 0000" in line
    assert "test_logs.py" in line
    assert "canary 0100" not in line


@formatters
def test_the_messages_of_causes_and_of_groups_are_cut(formatter: logging.Formatter) -> None:
    cause = RuntimeError("outer")
    cause.__cause__ = ValueError(CANARY)
    group = ExceptionGroup("several", [ValueError(CANARY), cause])
    line = formatter.format(record("failed", cause=raised(group)))
    assert "canary 0000" in line
    assert "canary 0100" not in line


@pytest.fixture
def root_logger() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def test_logs_go_to_standard_error_from_their_level_on(
    root_logger: None, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.setup("gateway", "json", "warning")
    logging.getLogger("steno").info("quiet")
    logging.getLogger("steno").warning("loud")
    sys.stderr.flush()
    out, err = capsys.readouterr()
    assert out == ""
    assert [json.loads(line)["event"] for line in err.splitlines()] == ["loud"]


@formatters
def test_an_address_that_a_library_quotes_stays_out_of_the_log(
    formatter: logging.Formatter,
) -> None:
    error = raised(LineTooLong(b"/api/transcriptions?prompt=canary 0000", 10))
    line = formatter.format(record("Error handling request", cause=error))
    assert "canary" not in line
    assert "LineTooLong" in line


def test_who_sends_no_http_cannot_fill_the_log() -> None:
    for error in (LineTooLong(b"x", 10), RequestPayloadError()):
        assert not logs.is_ours(record("Error handling request", cause=raised(error)))
    assert logs.is_ours(record("Error handling request", cause=raised(ValueError("ours"))))
    assert logs.is_ours(record("without an error"))
