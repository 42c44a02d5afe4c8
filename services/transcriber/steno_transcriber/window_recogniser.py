"""Recogniser on top of an engine that decodes windows."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from steno_common.logs import about
from steno_common.messages import MANY_LANGUAGES, Prosody
from steno_common.units import SAMPLE_RATE
from steno_transcriber.domain.context import decode_context
from steno_transcriber.domain.hypothesis import (
    Decoded,
    Hypothesis,
    Options,
    Request,
    Window,
    placed,
    within,
)
from steno_transcriber.domain.prosody import measure
from steno_transcriber.domain.samples import Samples, blocks
from steno_transcriber.domain.segmenter import Segment, Segmenter
from steno_transcriber.engines.base import EngineError
from steno_transcriber.partials import OpenSegment
from steno_transcriber.recogniser import Emit, Span, SpanReason
from steno_transcriber.tools import Start, Tools

log = logging.getLogger(__name__)

FINAL_TRIES: Final = 2


class WindowRecogniser:
    """Cuts audio into segments; decodes each closed one as a final, the open one as partials."""

    def __init__(self, start: Start, emit: Emit, tools: Tools) -> None:
        self._start = start
        self._context = decode_context(start.context)
        self._emit = emit
        self._tools = tools
        self._segmenter = Segmenter(start.position, tools.rules, tools.start_detector)
        self._open = OpenSegment(start.session, emit, tools)
        self.pending = 0

    async def feed(self, samples: Samples) -> None:
        """Take the next samples; returns when the spans they close are emitted."""
        loop = asyncio.get_running_loop()
        for block in blocks(samples, SAMPLE_RATE):
            segments = await loop.run_in_executor(self._tools.executor, self._segmenter.feed, block)
            await self._close(segments)
        speech = self._segmenter.open_speech() if self._start.partials else None
        if speech is not None:
            await self._open.grow(speech, self._window(speech.audio, final=speech.settled))

    async def flush(self) -> None:
        """Close and emit everything up to the last sample."""
        await self._close(self._segmenter.flush())

    async def aclose(self) -> None:
        """Stop without closing anything."""
        await self._open.aclose()

    async def _close(self, segments: Sequence[Segment]) -> None:
        self.pending = sum(len(segment.audio) for segment in segments)
        for segment in segments:
            foreseen = await self._open.final(segment.audio_end)
            await self._emit(await self._recognised(segment, foreseen))
            self.pending -= len(segment.audio)
            self._open = OpenSegment(self._start.session, self._emit, self._tools)

    async def _recognised(self, segment: Segment, foreseen: Decoded | None) -> Span:
        clock = asyncio.get_running_loop().time
        started = clock()
        decoded: Decoded | None = None
        hypothesis: Hypothesis | None = None
        prosody: Prosody | None = None
        reason: SpanReason = segment.reason
        if len(segment.audio):
            prosody = await self._prosody(segment)
            decoded = foreseen or await self._final(segment)
            if decoded is None:
                reason = "engine_failed"
            else:
                hypothesis = decoded.hypothesis
                self._context = self._context.after(hypothesis)
                hypothesis = within(hypothesis, segment.speech_start, segment.speech_end)
        return Span(
            start=segment.start,
            end=segment.end,
            speech_start=segment.speech_start,
            speech_end=segment.speech_end,
            hypothesis=hypothesis if hypothesis and hypothesis.words else None,
            context=self._context.encode(),
            prosody=prosody,
            reason=reason,
            decided=segment.decided,
            processing_ms=round((clock() - started) * 1000),
            work=decoded.work if decoded else None,
        )

    async def _prosody(self, segment: Segment) -> Prosody:
        first = segment.speech_start - segment.audio_start
        speech = segment.audio[first : segment.speech_end - segment.audio_start]
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._tools.executor, measure, speech)

    def _window(self, audio: Samples, *, final: bool) -> Window:
        """Give the window of the open segment's audio as it is to be decoded."""
        return Window(
            audio,
            self._context.text,
            self._options(),
            final=final,
            first=self._open.unseen,
            origin=self._open.origin,
        )

    def _options(self) -> Options:
        """Give the session's options, with the language that its first speech was in."""
        options = self._start.options
        if options.language == MANY_LANGUAGES:
            return replace(options, language=None)
        return replace(options, language=options.language or self._context.language)

    async def _final(self, segment: Segment) -> Decoded | None:
        """Decode a closed segment; None if the engine fails twice or says it never will."""
        window = self._window(segment.audio, final=True)
        session, observe = self._start.session, self._tools.observe
        for attempt in range(1, FINAL_TRIES + 1):
            try:
                request = Request(window)
                hypothesis = await self._tools.decode(session, request)
                hypothesis = placed(hypothesis, segment.audio_start, len(segment.audio))
                return Decoded(hypothesis, request.work)
            except EngineError as error:
                extra = about(session, attempt=attempt, code=error.code, error=str(error))
                log.warning("a segment was not decoded", extra=extra)
                if not error.retryable:
                    break
                if attempt < FINAL_TRIES:
                    observe("final_retries", 1)
        observe("final_failures", 1)
        return None
