"""Traces: what leaves the process, what is recorded, what a dead collector costs."""

import asyncio
import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.otlp_collector import Collector, Span, collecting

from steno_common import otlp, tracing
from steno_common.errors import StoreUnavailableError
from steno_common.logs import JsonFormatter, session_tag

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED, NOT_SAMPLED = f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@contextmanager
def tracing_to(collector: Collector, ratio: float = 1.0) -> Iterator[None]:
    with tracing.exporting("probe", collector.endpoint, ratio):
        yield


def sampled(trace: str) -> bool:
    return int(trace[-2:], 16) & 1 == 1


def named(collector: Collector, name: str) -> Span:
    (span,) = (span for span in collector.spans() if span.name == name)
    return span


def test_without_a_collector_there_is_nothing() -> None:
    with tracing.exporting("probe", "", 1.0), tracing.opening("upload", {}):
        assert tracing.traceparent() == ""
        assert tracing.headers() == {}
        with tracing.within(SAMPLED), tracing.span("segment"), tracing.batch([SAMPLED]):
            tracing.note(chunks=1)
            tracing.event("decode begin")
            tracing.failed(ValueError())
            assert tracing.headers() == {}


def test_without_a_collector_nothing_of_the_export_is_loaded() -> None:
    # The client of Redis loads the metrics of OpenTelemetry wherever they are installed.
    program = (
        "import sys, steno_gateway.app, steno_transcriber.app, steno_aggregator.app\n"
        "import steno_notifier.app\n"
        "ours = {'steno_common.spans', 'opentelemetry.exporter', 'opentelemetry.proto'}\n"
        "sys.exit(bool(ours & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_session_without_a_trace_has_no_spans(collector: Collector) -> None:
    with tracing_to(collector), tracing.within(""), tracing.span("segment"):
        assert tracing.traceparent() == ""
    assert collector.spans() == []


def test_a_trace_goes_on_in_another_process_from_what_the_first_one_hands_on(
    collector: Collector,
) -> None:
    with tracing_to(collector):
        with tracing.opening("create session", {}):
            trace = tracing.traceparent()
            tracing.note(session="golden-eagle-427")
        with tracing.within(trace), tracing.span("segment", number=1, language=None):
            tracing.event("decode begin")
            tracing.event("decode end")
            tracing.note(outcome="ok")
    root, segment = named(collector, "create session"), named(collector, "segment")
    assert trace[:52] == f"00-{root.trace_id}-{root.span_id}"
    assert sampled(trace)
    assert (root.service, root.parent_id) == ("steno-probe", "")
    assert root.attributes == {"steno.session": session_tag("golden-eagle-427")}
    assert (segment.trace_id, segment.parent_id) == (root.trace_id, root.span_id)
    assert segment.events == ("decode begin", "decode end")
    assert segment.attributes == {
        "messaging.system": "redis", "messaging.operation.type": "process",
        "messaging.operation.name": "commit", "messaging.destination.name": "audio",
        "steno.number": 1, "steno.outcome": "ok",
    }  # fmt: skip
    assert collector.paths == {"/v1/traces"}


def test_a_span_may_have_begun_before(collector: Collector) -> None:
    with tracing_to(collector), tracing.within(SAMPLED):
        with tracing.span("segment", ago=2.5):
            pass
        with tracing.span("save transcript", ago=-1.0):
            pass
    segment, saved = named(collector, "segment"), named(collector, "save transcript")
    assert segment.ended_ns - segment.began_ns >= 2_500_000_000
    assert saved.ended_ns >= saved.began_ns


def test_the_trace_of_a_client_is_gone_on_in_without_what_else_it_says(
    collector: Collector,
) -> None:
    headers = {"traceparent": SAMPLED, "tracestate": "canary=spoken"}
    with tracing_to(collector, 0.0), tracing.opening("create session", headers):
        assert tracing.traceparent().startswith(f"00-{TRACE}-")
        assert list(tracing.headers()) == ["traceparent"]
    root = named(collector, "create session")
    assert (root.trace_id, root.parent_id) == (TRACE, PARENT)
    assert not any(b"canary" in body for body in collector.bodies)


@pytest.mark.parametrize(
    "header", ["", "canary", "00-" + "0" * 32 + f"-{PARENT}-01", SAMPLED.upper(), SAMPLED + "-x"]
)
def test_a_header_that_names_no_trace_begins_one(collector: Collector, header: str) -> None:
    with tracing_to(collector), tracing.opening("create session", {"traceparent": header}):
        assert TRACE not in tracing.traceparent()
    assert named(collector, "create session").parent_id == ""


@pytest.mark.parametrize(("ratio", "headers"), [(0.0, {}), (1.0, {"traceparent": NOT_SAMPLED})])
def test_what_is_not_sampled_is_not_exported_by_anybody_but_has_an_id(
    collector: Collector, ratio: float, headers: dict[str, str]
) -> None:
    with tracing_to(collector, ratio), tracing.opening("create session", headers):
        trace = tracing.traceparent()
        assert not sampled(trace)
    with tracing_to(collector, 1.0), tracing.within(trace), tracing.span("segment"):
        with tracing.batch([trace], windows=1):
            pass
        assert tracing.traceparent()[:36] == trace[:36]
    assert collector.bodies == []


def test_a_batch_is_a_trace_of_its_own_with_links_to_the_sessions_that_are_recorded(
    collector: Collector,
) -> None:
    with (
        tracing_to(collector, 0.0), tracing.within(NOT_SAMPLED), tracing.span("segment"),
        tracing.batch(["", NOT_SAMPLED, SAMPLED], windows=3, finals=2, engine="probe"),
    ):  # fmt: skip
        pass
    batch = named(collector, "engine batch")
    assert batch.links == ((TRACE, PARENT),)
    assert (batch.parent_id, batch.trace_id == TRACE) == ("", False)
    assert batch.attributes["messaging.batch.message_count"] == 3
    assert batch.attributes["steno.finals"] == 2


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("canary"), "ValueError"),
        (StoreUnavailableError("canary"), "store_unavailable"),
        (ExceptionGroup("canary", [ExceptionGroup("x", [KeyError("canary")])]), "KeyError"),
    ],
)
def test_an_error_marks_its_span_and_tells_nothing_but_its_kind(
    collector: Collector, error: Exception, kind: str
) -> None:
    with (
        tracing_to(collector), tracing.within(SAMPLED),
        pytest.raises(type(error)), tracing.span("save transcript"),
    ):  # fmt: skip
        raise error
    saved = named(collector, "save transcript")
    assert (saved.failed, saved.attributes["error.type"]) == (True, kind)
    assert not any(b"canary" in body for body in collector.bodies)


def test_to_be_cancelled_is_no_failure(collector: Collector) -> None:
    with (
        tracing_to(collector), tracing.within(SAMPLED),
        pytest.raises(asyncio.CancelledError), tracing.span("session connection"),
    ):  # fmt: skip
        raise asyncio.CancelledError
    assert not named(collector, "session connection").failed


async def test_tasks_that_are_started_within_a_trace_are_in_it(collector: Collector) -> None:
    async def work() -> str:
        return tracing.traceparent()

    with tracing_to(collector):
        with tracing.within(SAMPLED):
            task = asyncio.create_task(work())
        assert await task == SAMPLED
        assert tracing.traceparent() == ""


@pytest.fixture
def log_lines() -> Iterator[io.StringIO]:
    root, lines = logging.getLogger(), io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(JsonFormatter("probe"))
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)


def test_a_log_line_within_a_trace_says_which(collector: Collector, log_lines: io.StringIO) -> None:
    log = logging.getLogger("steno")
    with tracing_to(collector):
        log.info("outside")
        with tracing.within(SAMPLED):
            log.info("inside")
    with tracing.within(SAMPLED):
        log.info("off")
    outside, inside, off = map(json.loads, log_lines.getvalue().splitlines())
    assert (inside["trace_id"], inside["span_id"]) == (TRACE, PARENT)
    assert not {"trace_id", "span_id"} & (outside.keys() | off.keys())


def test_a_collector_that_refuses_is_told_of_once_and_once_more_when_it_is_back(
    collector: Collector, log_lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp, "DELAY_MS", 20)
    monkeypatch.setattr(otlp, "EXPORT_SECONDS", 0.2)
    pause, collector.taking = threading.Event(), False
    with tracing_to(collector), tracing.within(SAMPLED):
        while "collector takes no" not in log_lines.getvalue() and not pause.wait(0.05):
            with tracing.span("segment"):
                pass
        collector.taking = True
        while "again" not in log_lines.getvalue() and not pause.wait(0.05):
            with tracing.span("segment"):
                pass
    told = [json.loads(line)["event"] for line in log_lines.getvalue().splitlines()]
    assert told == ["the collector takes no traces; they are lost until it does",
                    "the collector takes traces again"]  # fmt: skip


SPANS_INTO_A_BLACK_HOLE = """
import sys, threading
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from steno_common import tracing

# As the library waits for a collector that never answers, only for ever.
OTLPSpanExporter.export = lambda *_: threading.Event().wait()
BatchSpanProcessor.shutdown = lambda *_: threading.Event().wait()
with tracing.exporting("probe", "http://127.0.0.1:9", 1.0), tracing.within(sys.argv[1]):
    for _ in range(4_000):  # the queue holds 2,048
        with tracing.span("segment"):
            pass
    print("made")
print("ended")
"""


def test_a_collector_that_never_answers_holds_up_no_span_and_not_the_end() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SPANS_INTO_A_BLACK_HOLE, SAMPLED],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.split() == ["made", "ended"]
