"""Ends one session: saves its transcript, then says so in its log."""

import asyncio
import logging

from steno_aggregator import metrics
from steno_aggregator.domain.formats import render
from steno_aggregator.domain.transcript import Transcript, compose
from steno_common import tracing
from steno_common.archive import FORMATS, Archive
from steno_common.logs import about
from steno_common.messages import Completed, Numbered, Statistics
from steno_common.store.link import patiently
from steno_common.store.windows import Window, WindowStore
from steno_common.units import to_seconds

log = logging.getLogger(__name__)


async def complete(store: WindowStore, archive: Archive, session_id: str) -> bool:
    """Save and complete a session that has ended; False if it was completed, or is gone.

    The files come first: who reads that a session is completed finds them. Raises OSError where
    they cannot be saved.
    """
    window = await patiently(lambda: store.window(session_id))
    if window is None or window.finished:
        return False
    with tracing.within(window.session.trace), tracing.span("save transcript", **_fields(window)):
        return await _complete(store, archive, window)


def _fields(window: Window) -> tracing.Fields:
    return {
        "session": window.session.session_id,
        "finals": window.finals,
        "chunks": window.chunks,
        "audio_seconds": to_seconds(window.received),
    }


async def _complete(store: WindowStore, archive: Archive, window: Window) -> bool:
    session_id = window.session.session_id
    events = await patiently(lambda: store.log(session_id, 0, window.event))
    statistics = _statistics(window)
    if statistics.received != statistics.transcribed + statistics.silence:
        missing = statistics.received - statistics.transcribed - statistics.silence
        metrics.UNBALANCED.inc()
        log.warning("the accounting does not balance", extra=about(session_id, samples=missing))
    transcript = await asyncio.to_thread(_save, archive, window, statistics, events)
    completed = Completed(transcript.text, statistics, FORMATS)
    is_new = await patiently(lambda: store.complete(session_id, completed))
    if is_new:
        log.info("completed", extra=about(session_id))
    return is_new


def _save(
    archive: Archive, window: Window, statistics: Statistics, events: list[Numbered]
) -> Transcript:
    session = window.session
    transcript = compose(session, statistics, events)
    archive.save(session.session_id, session.created_ms, render(transcript))
    return transcript


def _statistics(window: Window) -> Statistics:
    return Statistics(
        chunks=window.chunks,
        received=window.received,
        transcribed=window.transcribed,
        silence=window.silence,
        finals=window.finals,
        utterances=window.utterances,
        mean_latency_ms=window.mean_latency_ms,
    )
