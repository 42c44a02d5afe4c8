"""Looks at one session: closes the utterances that are complete."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from steno_aggregator.domain.window import judge, utterance
from steno_common import tracing
from steno_common.messages import Utterance
from steno_common.store.windows import Window, WindowStore
from steno_common.units import to_samples, to_seconds


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look has come to."""

    closed: int
    """Utterances closed."""
    ended: bool
    """All audio is committed, every utterance closed: the transcript can be saved."""


async def close_windows(store: WindowStore, session_id: str) -> Looked:
    """Close every utterance of a session that is complete.

    Each step is one script that checks what the step was derived from, so a look may be cut off,
    repeated or raced at any point. The session stays due until a look finds nothing to do, or,
    where `ended`, until its transcript is saved.
    """
    silence, clock = to_samples(store.limits.silence_seconds), asyncio.get_running_loop().time
    closed = 0
    while True:
        began = clock()
        window = await store.window(session_id)
        if window is None:
            await store.remove(session_id)
            return Looked(closed, ended=False)
        log = await store.log(session_id, _read_until(window), window.event)
        verdict = judge(log, open_from=window.open_from, silence=silence, heard=window.heard)
        utterances = [
            utterance(window.utterances + place, group)
            for place, group in enumerate(verdict.closed)
        ]
        if not utterances and verdict.ended and not window.finished:
            return Looked(closed, ended=True)
        # Not closed: the session has changed since it was read, and the next look sees it as it is.
        if await store.close(session_id, window, utterances, verdict.open_from):
            if not utterances:
                return Looked(closed, ended=False)
            closed += len(utterances)
            _trace(window, utterances, clock() - began)


def _trace(window: Window, utterances: Sequence[Utterance], seconds: float) -> None:
    with tracing.within(window.session.trace):
        for each in utterances:
            length = to_seconds(each.end - each.start)
            with tracing.span(
                "close utterance", ago=seconds, session=window.session.session_id,
                number=each.index, audio_seconds=length, language=each.language,
            ):  # fmt: skip
                pass


def _read_until(window: Window) -> int:
    """Give the number of the last event that says nothing about what is open."""
    if window.open_from:
        return window.open_from - 1
    # Without an open utterance only the end of the input matters, wherever it stands.
    return 0 if window.ended else window.event
