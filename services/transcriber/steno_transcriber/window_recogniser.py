"""Recogniser on top of an engine that decodes windows."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Final

from steno_common.logs import about
from steno_common.messages import Prosody
from steno_common.units import SAMPLE_RATE
from steno_transcriber.domain.agreement import Agreement
from steno_transcriber.domain.hypothesis import Hypothesis, Options, Window, extend_context, placed
from steno_transcriber.domain.prosody import measure
from steno_transcriber.domain.samples import Samples, blocks
from steno_transcriber.domain.segmenter import (
    OpenSpeech,
    Rules,
    Segment,
    Segmenter,
    SpeechProbability,
)
from steno_transcriber.engines.base import EngineError
from steno_transcriber.recogniser import Emit, Partial, Span, SpanReason
from steno_transcriber.scheduler import Observe

log = logging.getLogger(__name__)

FIRST_PARTIAL: Final = SAMPLE_RATE // 2
"""Speech that is worth a first partial."""

FINAL_TRIES: Final = 2

Decode = Callable[[str, Window], Awaitable[Hypothesis]]
"""Gives the hypothesis of a session's window; raises EngineError."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What all recognisers of a process share."""

    decode: Decode
    start_detector: Callable[[], SpeechProbability]
    executor: Executor
    """One thread for what would hold up the event loop: the detector, prosody."""
    rules: Rules
    partial_interval: int
    """New samples between two partials of a session."""
    observe: Observe


@dataclass(frozen=True, slots=True)
class Start:
    """Whose audio is recognised, from which checkpoint on."""

    session: str
    position: int = 0
    context: str = ""
    options: Options = field(default_factory=Options)
    partials: bool = True


class WindowRecogniser:
    """Cuts audio into segments; decodes each closed one as a final, the open one as partials."""

    def __init__(self, start: Start, emit: Emit, tools: Tools) -> None:
        self._start = start
        self._context = start.context
        self._emit = emit
        self._tools = tools
        self._segmenter = Segmenter(start.position, tools.rules, tools.start_detector)
        self._agreement = Agreement()
        self._shown_until: int | None = None
        """Position up to which the last partial of the open segment was asked for."""
        self._partial: asyncio.Task[None] | None = None
        self._partial_decodes = False
        self._settled_until: int | None = None
        """End of the window of the partial that is decoded as the final it becomes if no more
        is said."""
        self._foreseen: tuple[int, Hypothesis] | None = None
        """That window's end and hypothesis."""

    async def feed(self, samples: Samples) -> None:
        """Take the next samples; returns when the spans they close are emitted."""
        loop = asyncio.get_running_loop()
        for block in blocks(samples, SAMPLE_RATE):
            segments = await loop.run_in_executor(self._tools.executor, self._segmenter.feed, block)
            await self._close(segments)
        if self._start.partials:
            await self._start_partial()

    async def flush(self) -> None:
        """Close and emit everything up to the last sample."""
        await self._close(self._segmenter.flush())

    async def aclose(self) -> None:
        """Stop without closing anything."""
        await self._end_partial()

    async def _close(self, segments: Sequence[Segment]) -> None:
        for segment in segments:
            if self._settled_until == segment.audio_end and self._partial is not None:
                await self._partial
            await self._end_partial()
            await self._emit(await self._recognised(segment))
            self._agreement, self._shown_until = Agreement(), None
            self._settled_until = self._foreseen = None

    async def _recognised(self, segment: Segment) -> Span:
        clock = asyncio.get_running_loop().time
        started = clock()
        hypothesis: Hypothesis | None = None
        prosody: Prosody | None = None
        reason: SpanReason = segment.reason
        if len(segment.audio):
            prosody = await self._prosody(segment)
            if self._foreseen is not None and self._foreseen[0] == segment.audio_end:
                hypothesis = self._foreseen[1]
            else:
                hypothesis = await self._final(segment)
            if hypothesis is None:
                reason = "engine_failed"
            else:
                self._context = extend_context(self._context, hypothesis)
        return Span(
            start=segment.start,
            end=segment.end,
            speech_start=segment.speech_start,
            speech_end=segment.speech_end,
            hypothesis=hypothesis if hypothesis and hypothesis.words else None,
            context=self._context,
            prosody=prosody,
            reason=reason,
            processing_ms=round((clock() - started) * 1000),
        )

    async def _prosody(self, segment: Segment) -> Prosody:
        first = segment.speech_start - segment.audio_start
        speech = segment.audio[first : segment.speech_end - segment.audio_start]
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._tools.executor, measure, speech)

    async def _final(self, segment: Segment) -> Hypothesis | None:
        """Decode a closed segment; None if the engine fails twice or says it never will."""
        window = Window(segment.audio, self._context, self._start.options, final=True)
        session, observe = self._start.session, self._tools.observe
        for attempt in range(1, FINAL_TRIES + 1):
            try:
                hypothesis = await self._tools.decode(session, window)
                return placed(hypothesis, segment.audio_start, len(segment.audio))
            except EngineError as error:
                extra = about(session, attempt=attempt, code=error.code, error=str(error))
                log.warning("a segment was not decoded", extra=extra)
                if not error.retryable:
                    break
                if attempt < FINAL_TRIES:
                    observe("final_retries", 1)
        observe("final_failures", 1)
        return None

    async def _start_partial(self) -> None:
        """Ask for another partial if there is enough new speech and none is on its way.

        Once speech has paused for as long as is decoded of a pause, the window is what the final
        will be if no more is said. So it is decoded as that, at once: where the pause goes on, the
        final is there when it is over.
        """
        if self._partial is not None and self._partial.done():
            self._partial.result()
            self._partial = None
        speech = self._segmenter.open_speech()
        if speech is None:
            return
        end = speech.audio_end
        if speech.settled:
            if self._settled_until == end:
                return
            await self._end_partial()
            self._settled_until = end
        elif self._partial is not None or end < self._next_partial(speech):
            return
        self._shown_until, self._partial_decodes = end, True
        self._partial = asyncio.create_task(
            self._show(speech), name=f"partial of {self._start.session}"
        )

    def _next_partial(self, speech: OpenSpeech) -> int:
        if self._shown_until is None:
            return speech.speech_start + FIRST_PARTIAL
        return self._shown_until + self._tools.partial_interval

    async def _show(self, speech: OpenSpeech) -> None:
        clock = asyncio.get_running_loop().time
        started = clock()
        window = Window(speech.audio, self._context, self._start.options, final=speech.settled)
        try:
            answer = await self._tools.decode(self._start.session, window)
        except EngineError as error:
            self._tools.observe("partial_failures", 1)
            log.info("no partial", extra=about(self._start.session, code=error.code))
            return
        finally:
            self._partial_decodes = False
        hypothesis = placed(answer, speech.audio_start, len(speech.audio))
        if speech.settled:
            self._foreseen = (speech.audio_end, hypothesis)
        words = self._agreement.update(hypothesis.words)
        if not words:
            return
        await self._emit(
            Partial(
                start=speech.speech_start,
                end=speech.audio_end,
                text=" ".join(word.text for word in words),
                words=words,
                stability=self._agreement.stability(words),
                confidence=hypothesis.confidence,
                language=hypothesis.language,
                processing_ms=round((clock() - started) * 1000),
            )
        )

    async def _end_partial(self) -> None:
        """Drop the partial on its way; one that is being emitted is let through first."""
        if (task := self._partial) is None:
            return
        if self._partial_decodes:
            task.cancel()
        await asyncio.wait([task])
        self._partial = None
        if not task.cancelled():
            task.result()
