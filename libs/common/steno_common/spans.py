"""Spans as OpenTelemetry makes them."""

import logging
import time
from collections.abc import Mapping, Sequence
from contextvars import Token
from typing import Any, Final

from opentelemetry.context import Context, attach, detach
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    Link,
    Span,
    SpanKind,
    StatusCode,
    format_span_id,
    format_trace_id,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from steno_common.errors import StenoError
from steno_common.logs import session_tag
from steno_common.otlp import Export
from steno_common.tracing import HEADER, NOTHING, EventName, Fields, Scope, SpanName


def _work(name: str, source: str) -> Mapping[str, str]:
    return {
        "messaging.system": "redis",
        "messaging.operation.type": "process",
        "messaging.operation.name": name,
        "messaging.destination.name": source,
    }


_KINDS: Final[Mapping[SpanName, tuple[SpanKind, Mapping[str, str]]]] = {
    "create session": (SpanKind.SERVER, {}),
    "upload": (SpanKind.SERVER, {}),
    "session connection": (SpanKind.SERVER, {}),
    "segment": (SpanKind.CONSUMER, _work("commit", "audio")),
    "engine batch": (SpanKind.CONSUMER, _work("decode", "audio")),
    "close utterance": (SpanKind.CONSUMER, _work("close", "log")),
    "save transcript": (SpanKind.CONSUMER, _work("save", "log")),
    "deliver": (SpanKind.CLIENT, {}),
}
"""What OpenTelemetry's conventions say of each span; streams go by their kind, not their key."""

_NAMES: Final[Mapping[str, str]] = {
    "windows": "messaging.batch.message_count",
    "method": "http.request.method",
    "status": "http.response.status_code",
}
"""What they call a field; any other is ours."""

_propagator: Final = TraceContextTextMapPropagator()


def _attributes(fields: Fields) -> dict[str, Any]:
    held: dict[str, Any] = {
        _NAMES.get(name) or f"steno.{name}": value
        for name, value in fields.items() if value is not None
    }  # fmt: skip
    if "session" in fields:
        held["steno.session"] = session_tag(fields["session"])
    return held


def _read(trace: str) -> Context:
    # A `tracestate` is not read: it may hold anything, and would be exported.
    return _propagator.extract({HEADER: trace}, Context())


def _sampled(trace: str) -> bool:
    return trace != "" and int(trace[-2:], 16) % 2 == 1


def _ns(ago: float) -> int:
    return time.time_ns() - round(max(ago, 0.0) * 1e9)


def _fail(span: Span, error: BaseException | str) -> None:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, Exception | str):  # to be cancelled is no failure
        span.set_attribute("error.type", _kind(error))
        span.set_status(StatusCode.ERROR)


def _kind(error: Exception | str) -> str:
    """Give the kind of an error alone: its message may quote what was said."""
    if isinstance(error, str):
        return error
    return error.code if isinstance(error, StenoError) else type(error).__name__


class _Entered:
    """A context that is the current one for a while."""

    __slots__ = ("_context", "_token")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._token: Token[Context] | None = None

    def __enter__(self) -> None:
        self._token = attach(self._context)

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        assert self._token is not None
        detach(self._token)


class _Open(_Entered):
    """The same of a span, which ends with it."""

    __slots__ = ("_span",)

    def __init__(self, span: Span) -> None:
        super().__init__(set_span_in_context(span))
        self._span = span

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        super().__exit__(kind, error, traceback)
        if error is not None:
            _fail(self._span, error)
        self._span.end()


class SpanTracer:
    """Makes spans for a collector, for `tracing`."""

    def __init__(self, service: str, endpoint: str, ratio: float) -> None:
        self._export = Export(service, endpoint)
        self._sessions = self._export.tracer(ParentBased(TraceIdRatioBased(ratio)))
        # Its sessions have decided for a batch.
        self._batches = self._export.tracer(ALWAYS_ON)

    def opening(self, name: SpanName, header: str | None) -> Scope:
        """Open the first span of a trace."""
        return self._open(name, _read(header or ""), {})

    def within(self, trace: str) -> Scope:
        """Continue a trace."""
        return _Entered(_read(trace))

    def span(self, name: SpanName, ago: float, fields: Fields) -> Scope:
        """Open a span below the current one."""
        if not get_current_span().get_span_context().is_valid:
            return NOTHING
        return self._open(name, None, fields, ago)

    def _open(
        self, name: SpanName, parent: Context | None, fields: Fields, ago: float = 0.0
    ) -> Scope:
        kind, known = _KINDS[name]
        return _Open(
            self._sessions.start_span(
                name, parent, kind, {**known, **_attributes(fields)}, start_time=_ns(ago)
            )
        )

    def batch(self, traces: Sequence[str], fields: Fields) -> Scope:
        """Open a span of work for several traces, if one of them is recorded."""
        # Most batches hold none that is recorded, and cost no more than this look.
        places = [get_current_span(_read(trace)) for trace in traces if _sampled(trace)]
        if not places:
            return NOTHING
        kind, known = _KINDS["engine batch"]
        links = [Link(place.get_span_context()) for place in places]
        held = {**known, **_attributes(fields)}
        return _Open(self._batches.start_span("engine batch", Context(), kind, held, links))

    def note(self, fields: Fields) -> None:
        """Add to the current span."""
        get_current_span().set_attributes(_attributes(fields))

    def event(self, name: EventName, ago: float, fields: Fields) -> None:
        """Add a moment to the current span."""
        get_current_span().add_event(name, _attributes(fields), _ns(ago))

    def failed(self, error: BaseException | str) -> None:
        """Mark the current span as failed."""
        _fail(get_current_span(), error)

    def traceparent(self) -> str:
        """Name the current span."""
        carrier: dict[str, str] = {}
        _propagator.inject(carrier)
        return carrier.get(HEADER, "")

    def stamp(self, record: logging.LogRecord) -> bool:
        """Name the current span in a log record."""
        place = get_current_span().get_span_context()
        if place.is_valid:
            record.trace_id = format_trace_id(place.trace_id)
            record.span_id = format_span_id(place.span_id)
        return True

    def close(self) -> None:
        """Send what is left."""
        self._export.close()
