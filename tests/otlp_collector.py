"""A collector of traces for tests: takes OTLP over HTTP, keeps the bytes with what they mean."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Exported


@dataclass(frozen=True)
class Span:
    """One exported span, in plain values."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: int
    failed: bool
    began_ns: int
    ended_ns: int
    attributes: dict[str, Any]
    events: tuple[str, ...]
    links: tuple[tuple[str, str], ...]


def _values(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


def _span(service: str, held: Exported) -> Span:
    return Span(
        service, held.name, held.trace_id.hex(), held.span_id.hex(), held.parent_span_id.hex(),
        held.kind, held.status.code == 2, held.start_time_unix_nano, held.end_time_unix_nano,
        _values(held.attributes), tuple(event.name for event in held.events),
        tuple((link.trace_id.hex(), link.span_id.hex()) for link in held.links),
    )  # fmt: skip


@dataclass
class Collector:
    """What was exported to an address."""

    endpoint: str = ""
    taking: bool = True
    bodies: list[bytes] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)

    def take(self, path: str, body: bytes) -> None:
        """Keep one request."""
        self.paths.add(path)
        self.bodies.append(body)

    def spans(self) -> list[Span]:
        """Give all spans so far."""
        found = []
        for body in list(self.bodies):
            request = ExportTraceServiceRequest.FromString(body)
            for resource in request.resource_spans:
                service = _values(resource.resource.attributes)["service.name"]
                for scope in resource.scope_spans:
                    found += [_span(service, held) for held in scope.spans]
        return found


@contextmanager
def collecting() -> Iterator[Collector]:
    """Take traces at an address of this machine."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if collector.taking:
                collector.take(self.path, body)
            self.send_response(200 if collector.taking else 400)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="collector")
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
