"""Spans of a transcriber: a segment that is committed, a batch that the engine decodes."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from steno_common import tracing
from steno_common.units import to_seconds
from steno_transcriber.domain.hypothesis import Window
from steno_transcriber.recogniser import Span


@contextmanager
def segment(session_id: str, span: Span, *, number: int, waited: float, engine: str
            ) -> Iterator[None]:  # fmt: skip
    """Trace the commit of a span with speech, from when what closed it came, `waited` seconds ago.

    The engine may have decoded it before: in the pause, when nobody knew yet that it would last.
    """
    if span.speech_start == span.speech_end:
        yield
        return
    with tracing.span(
        "segment", ago=waited, session=session_id, number=number, engine=engine,
        audio_seconds=to_seconds(span.end - span.start),
        speech_seconds=to_seconds(span.speech_end - span.speech_start),
        language=span.hypothesis.language if span.hypothesis else None, reason=span.reason,
    ):  # fmt: skip
        if span.work is not None:
            now = asyncio.get_running_loop().time()
            begun, done = span.work
            tracing.event("decode begin", ago=now - begun)
            tracing.event("decode end", ago=now - done)
        yield


def batch(traces: Sequence[str], windows: Sequence[Window], *, waited: float, engine: str
          ) -> tracing.Scope:  # fmt: skip
    """Trace what the engine decodes at once, of which the first window waited for so long (s)."""
    return tracing.batch(
        traces, windows=len(windows), finals=sum(window.final for window in windows),
        audio_seconds=to_seconds(sum(len(window.audio) for window in windows)),
        waited_seconds=waited, engine=engine,
    )  # fmt: skip
