"""What one session is told of its streams, emitted in order whatever becomes of the streams."""

import asyncio
from dataclasses import dataclass
from typing import Final

from steno_transcriber.domain.context import decode_context
from steno_transcriber.domain.hypothesis import Hypothesis
from steno_transcriber.domain.tiling import Closed
from steno_transcriber.recogniser import Emit, Partial, Span, SpanReason
from steno_transcriber.tools import StreamTools

MOST_WAITING: Final = 16
"""Events that wait while more may come."""


@dataclass(frozen=True, slots=True, eq=False)
class Timed:
    """A closed piece, with when its last sample was sent (s of the event loop's clock)."""

    closed: Closed
    sent_at: float | None = None
    given_up: bool = False
    """Whether no stream will say anything of it."""


class Outbox:
    """Emits what it is given in a task of its own: losing a stream interrupts no commit."""

    def __init__(self, context: str, emit: Emit, tools: StreamTools) -> None:
        self._context = decode_context(context)
        self._emit = emit
        self._tools = tools
        self._events: asyncio.Queue[Partial | Timed] = asyncio.Queue()

    @property
    def language(self) -> str | None:
        """The language that the first speech was found to be in."""
        return self._context.language

    def put(self, event: Timed) -> None:
        """Take a closed piece; it will be emitted unless `run` fails or is cancelled."""
        self._events.put_nowait(event)

    def offer(self, partial: Partial) -> None:
        """Take a partial, unless something else waits: a newer one follows."""
        if self._events.empty():
            self._events.put_nowait(partial)

    async def room(self) -> None:
        """Wait while too much waits."""
        if self._events.qsize() >= MOST_WAITING:
            await self._events.join()

    async def join(self) -> None:
        """Wait until all is emitted."""
        await self._events.join()

    async def run(self) -> None:
        """Emit until cancelled; errors of emitting pass through."""
        while True:
            event = await self._events.get()
            await self.emit(event)
            self._events.task_done()

    async def emit(self, event: Partial | Timed) -> None:
        """Emit one event now; nothing may be waiting."""
        await self._emit(event if isinstance(event, Partial) else await self._span(event))

    async def _span(self, timed: Timed) -> Span:
        closed, loop = timed.closed, asyncio.get_running_loop()
        hypothesis, prosody = None, None
        reason: SpanReason = "silence" if closed.speech_start == closed.speech_end else "pause"
        if closed.words and closed.speech is not None:
            hypothesis = _hypothesis(closed)
            self._context = self._context.after(hypothesis)
            tools = self._tools
            prosody = await loop.run_in_executor(tools.executor, tools.prosody, closed.speech)
        elif timed.given_up:
            reason = "engine_failed"
        now = loop.time()
        sent_at = now if timed.sent_at is None else timed.sent_at
        return Span(
            start=closed.start,
            end=closed.end,
            speech_start=closed.speech_start,
            speech_end=closed.speech_end,
            hypothesis=hypothesis,
            context=self._context.encode(),
            prosody=prosody,
            reason=reason,
            decided=closed.end,
            processing_ms=round((now - sent_at) * 1000),
            work=(sent_at, now) if hypothesis else None,
        )


def _hypothesis(closed: Closed) -> Hypothesis:
    words = closed.words
    return Hypothesis(
        text=" ".join(word.text for word in words),
        words=words,
        language=closed.language,
        confidence=round(sum(word.confidence for word in words) / len(words), 3),
    )
