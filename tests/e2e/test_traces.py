"""One session is one trace over the four processes, and no word of it leaves them."""

import json
import re
import socket
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.machine import SAMPLES, Machine, printed, running, steno
from tests.otlp_collector import Collector, Span, collecting

THREE = SAMPLES / "three-utterances.flac"
CLIENT_TRACE, CLIENT_SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PROMPT = "canary in the prompt"


def transcribed(machine: Machine) -> dict[str, Any]:
    """Stream a recording; gives the transcript."""
    arguments = ("transcribe", str(THREE), "--pace", "fast", "--format", "json")
    found: dict[str, Any] = json.loads(printed(steno(machine, *arguments)))
    return found


def uploaded(machine: Machine, traceparent: str) -> dict[str, Any]:
    """Upload a recording as a client that traces; gives the transcript."""
    request = urllib.request.Request(
        f"{machine.url}/api/transcriptions?prompt={PROMPT.replace(' ', '%20')}",
        data=(SAMPLES / "hello.wav").read_bytes(),
        headers={"Content-Type": "audio/wav", "traceparent": traceparent,
                 "tracestate": "canary=spoken"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=200) as answer:
        found: dict[str, Any] = json.loads(answer.read())
    return found


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Collector, list[str], str]]:
    """Give what came to a collector of a streamed and an uploaded session, and what was said."""
    folder = tmp_path_factory.mktemp("traces")
    with collecting() as collector:
        with running(
            folder, STENO_OTLP_ENDPOINT=collector.endpoint, STENO_TRACE_RATIO="1"
        ) as machine:
            found = transcribed(machine), uploaded(machine, f"00-{CLIENT_TRACE}-{CLIENT_SPAN}-01")
        words = [each["text"].split() for each in found]
        said = [" ".join(pair) for each in words for pair in pairwise(each)]
        ids = [each["session_id"] for each in found]
        yield collector, [*said, *ids], (folder / "steno.log").read_text()


def trees(spans: list[Span]) -> dict[str, list[Span]]:
    """Give the spans of sessions by their trace."""
    found: dict[str, list[Span]] = {}
    for span in spans:
        if span.name != "engine batch":
            found.setdefault(span.trace_id, []).append(span)
    return found


def test_a_session_is_one_tree_over_its_services(
    story: tuple[Collector, list[str], str],
) -> None:
    found = trees(story[0].spans())
    assert len(found) == 2
    for trace_id, spans in found.items():
        known = {span.span_id for span in spans}
        (root,) = (span for span in spans if span.parent_id not in known)
        assert root.parent_id == (CLIENT_SPAN if trace_id == CLIENT_TRACE else "")
        assert {span.service for span in spans} == {
            "steno-gateway", "steno-transcriber", "steno-aggregator",
        }  # fmt: skip
        assert len({span.attributes["steno.session"] for span in spans}) == 1
        assert not any(span.failed for span in spans)
    names = [Counter(span.name for span in found[trace_id]) for trace_id in found]
    assert {
        "create session": 1, "session connection": 1, "segment": 3, "close utterance": 3,
        "save transcript": 1,
    } in names  # fmt: skip
    assert {"upload": 1, "segment": 1, "close utterance": 1, "save transcript": 1} in names


def test_a_segment_reaches_from_the_arrival_of_its_audio_over_its_decoding_to_the_client(
    story: tuple[Collector, list[str], str],
) -> None:
    spans = story[0].spans()
    for span in spans:
        if span.name == "segment":
            assert span.events == ("decode begin", "decode end")
            assert span.attributes["steno.engine"] == "pocketsphinx"
            assert span.attributes["steno.outcome"] == "ok"
            assert 0 < span.ended_ns - span.began_ns < 3600e9
    (connection,) = (span for span in spans if span.name == "session connection")
    assert connection.events == ("final delivered",) * 3


def test_batches_are_linked_to_the_sessions_they_serve(
    story: tuple[Collector, list[str], str],
) -> None:
    spans = story[0].spans()
    roots = {
        (span.trace_id, span.span_id) for span in spans if span.name in {"create session", "upload"}
    }
    batches = [span for span in spans if span.name == "engine batch"]
    assert {link for span in batches for link in span.links} == roots
    for span in batches:
        assert span.parent_id == ""
        assert span.trace_id not in trees(spans)
        assert span.attributes["messaging.batch.message_count"] == len(span.links) == 1


def test_no_word_no_id_no_prompt_is_exported(story: tuple[Collector, list[str], str]) -> None:
    collector, secrets, _ = story
    exported = b"".join(collector.bodies)
    assert b"pocketsphinx" in exported
    for secret in (*secrets, PROMPT, "canary"):
        assert secret.encode() not in exported, secret
    # Nothing else may hold text either: all values but the hash are words of the code.
    told = {value for span in collector.spans() for name, value in span.attributes.items()
            if isinstance(value, str) and name != "steno.session"}  # fmt: skip
    assert told == {
        "redis", "process", "commit", "decode", "close", "save", "audio", "log", "pocketsphinx",
        "en", "pause", "flush", "ok",
    }  # fmt: skip


def test_log_lines_of_a_session_name_its_trace(story: tuple[Collector, list[str], str]) -> None:
    collector, _, log = story
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    named = {(line["service"], line["event"], line["trace_id"]) for line in lines
             if "trace_id" in line}  # fmt: skip
    for trace_id in trees(collector.spans()):
        assert ("transcriber", "session claimed", trace_id) in named
        assert ("aggregator", "completed", trace_id) in named
    assert all(re.fullmatch("[0-9a-f]{16}", line["span_id"]) for line in lines if "span_id" in line)


def test_without_sampling_nothing_is_exported(tmp_path: Path) -> None:
    with collecting() as collector:
        with running(
            tmp_path, STENO_ENGINE="scripted", STENO_OTLP_ENDPOINT=collector.endpoint,
            STENO_TRACE_RATIO="0",
        ) as machine:  # fmt: skip
            transcribed(machine)
        assert collector.bodies == []


@contextmanager
def dead_collector(kind: str) -> Iterator[str]:
    """Give the address of a collector that refuses connections, or takes them and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        if kind == "refuses":
            silent.close()
        yield address


@pytest.mark.parametrize("kind", ["refuses", "silent"])
def test_a_dead_collector_costs_its_spans_alone(tmp_path: Path, kind: str) -> None:
    with (
        dead_collector(kind) as address,
        running(
            tmp_path, STENO_ENGINE="scripted", STENO_OTLP_ENDPOINT=address, STENO_TRACE_RATIO="1"
        ) as machine,
    ):
        assert transcribed(machine)["statistics"]["utterances"] == 3
    log = (tmp_path / "steno.log").read_text()
    assert "drain took too long" not in log
    assert "opentelemetry" not in log
