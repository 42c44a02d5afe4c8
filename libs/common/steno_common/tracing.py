"""Traces: what became of a session where, with times but without a word of it.

One trace for each session. It is opened by the request that creates the session, travels in its
`Session` as a W3C `traceparent`, goes on in every service. Off unless a collector is named: then
each call here is one comparison.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypedDict, Unpack

SpanName = Literal[
    "create session", "upload", "session connection", "segment", "engine batch",
    "close utterance", "save transcript", "deliver",
]  # fmt: skip
EventName = Literal["decode begin", "decode end", "final delivered"]

HEADER: Final = "traceparent"


class Fields(TypedDict, total=False):
    """All that may stand in a span: neither text nor audio nor a secret; None is left out."""

    session: str
    """An id, of which only the short hash of the logs is exported."""
    number: int
    """Of the connection, commit, utterance or event in its session."""
    chunks: int
    audio_seconds: float
    speech_seconds: float
    waited_seconds: float
    windows: int
    finals: int
    engine: str
    language: str | None
    reason: str
    """What ended a segment, one of a few words."""
    outcome: str
    """What became of a commit or a delivery, one of a few words."""
    destination: str
    """Its name in the session, such as `webhook` or `hook-1`; never its address."""
    event: str
    """What is delivered, by the name that destinations ask for it."""
    attempt: int
    """Which try of a delivery, from 1."""
    method: str
    """Of a request by HTTP."""
    status: int
    """That it was answered with."""


Scope = AbstractContextManager[None]
"""What holds between `with` and its end, in this task and those it starts there."""

NOTHING: Final[Scope] = nullcontext()


class Tracer(Protocol):
    """What traces are made with; see the functions of this module, which say the same."""

    def opening(self, name: SpanName, header: str | None) -> Scope:
        """Open the first span of a trace."""

    def within(self, trace: str) -> Scope:
        """Continue a trace."""

    def span(self, name: SpanName, ago: float, fields: Fields) -> Scope:
        """Open a span below the current one."""

    def batch(self, traces: Sequence[str], fields: Fields) -> Scope:
        """Open a span of work for several traces."""

    def note(self, fields: Fields) -> None:
        """Add to the current span."""

    def event(self, name: EventName, ago: float, fields: Fields) -> None:
        """Add a moment to the current span."""

    def failed(self, error: BaseException | str) -> None:
        """Mark the current span as failed."""

    def traceparent(self) -> str:
        """Name the current span."""

    def stamp(self, record: logging.LogRecord) -> bool:
        """Name the current span in a log record."""

    def close(self) -> None:
        """Send what is left."""


@dataclass(slots=True)
class _Use:
    tracer: Tracer | None = None


_use: Final = _Use()


@contextmanager
def exporting(service: str, endpoint: str, ratio: float) -> Iterator[None]:
    """Send spans of this process to a collector, if one is named, for `ratio` of the sessions.

    `endpoint` is the base URL of OTLP over HTTP. A collector that does not answer costs spans, and
    at the end two seconds at most.
    """
    if not endpoint:
        yield
        return
    from steno_common.spans import SpanTracer  # noqa: PLC0415 - 7 MB that others spare

    _use.tracer = tracer = SpanTracer(service, endpoint, ratio)
    handlers = logging.getLogger().handlers
    for handler in handlers:
        handler.addFilter(tracer.stamp)
    try:
        yield
    finally:
        _use.tracer = None
        for handler in handlers:
            handler.removeFilter(tracer.stamp)
        tracer.close()


def opening(name: SpanName, headers: Mapping[str, str]) -> Scope:
    """Open the first span of a session: in its client's trace, if these headers name one."""
    tracer = _use.tracer
    return NOTHING if tracer is None else tracer.opening(name, headers.get(HEADER))


def within(trace: str) -> Scope:
    """Go on in the trace of a session; an empty one is none, and such a session has no spans."""
    tracer = _use.tracer
    return NOTHING if tracer is None or not trace else tracer.within(trace)


def span(name: SpanName, *, ago: float = 0.0, **fields: Unpack[Fields]) -> Scope:
    """Open a span, begun so many seconds ago, below the current one; without one there is none."""
    tracer = _use.tracer
    return NOTHING if tracer is None else tracer.span(name, ago, fields)


def batch(traces: Sequence[str], **fields: Unpack[Fields]) -> Scope:
    """Open a span of work that several sessions share: a trace of its own, linked to theirs."""
    tracer = _use.tracer
    return NOTHING if tracer is None else tracer.batch(traces, fields)


def note(**fields: Unpack[Fields]) -> None:
    """Add to the current span what was not known when it began."""
    if _use.tracer is not None:
        _use.tracer.note(fields)


def event(name: EventName, *, ago: float = 0.0, **fields: Unpack[Fields]) -> None:
    """Add a moment to the current span, so many seconds ago."""
    if _use.tracer is not None:
        _use.tracer.event(name, ago, fields)


def failed(error: BaseException | str) -> None:
    """Mark the current span as failed; what leaves a span as an exception marks it by itself.

    A failure that is no exception is told by its code.
    """
    if _use.tracer is not None:
        _use.tracer.failed(error)


def traceparent() -> str:
    """Name the current span for who goes on from here; empty without one."""
    return "" if _use.tracer is None else _use.tracer.traceparent()


def headers() -> dict[str, str]:
    """Give what a request to others should carry, so that their trace goes on from here."""
    trace = traceparent()
    return {HEADER: trace} if trace else {}
