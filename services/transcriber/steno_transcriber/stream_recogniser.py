"""Recogniser on top of an engine that is sent a stream of audio."""

import asyncio
import logging
from dataclasses import replace
from typing import Final

from steno_common.logs import about
from steno_common.units import SAMPLE_RATE
from steno_transcriber import metrics
from steno_transcriber.domain.activity import Judge
from steno_transcriber.domain.backoff import outage, pause
from steno_transcriber.domain.heard import Listening
from steno_transcriber.domain.hypothesis import Options
from steno_transcriber.domain.results import Result
from steno_transcriber.domain.samples import Samples, blocks
from steno_transcriber.domain.tiling import Shown, Tiling
from steno_transcriber.engines.base import EngineAway, EngineError
from steno_transcriber.outbox import Outbox, Timed
from steno_transcriber.recogniser import Emit, Partial
from steno_transcriber.streaming import Signals, Streaming
from steno_transcriber.tools import Start, StreamTools

log = logging.getLogger(__name__)

AHEAD: Final = 5 * SAMPLE_RATE
"""Samples that wait here for a stream, at most; more waits in Redis."""
GIVEN_UP: Final = 5 * SAMPLE_RATE
"""Samples that are given up at once while the engine is down."""


class StreamRecogniser:
    """Keeps a stream open from the first audio on, opens another at the border if it is lost."""

    def __init__(self, start: Start, emit: Emit, tools: StreamTools) -> None:
        self._start = start
        self._tools = tools
        self._judge = Judge(tools.start_detector())
        self._tiling = Tiling(start.position, tools.streams.rules.patience)
        self._listening = Listening(start.position)
        self._outbox = Outbox(start.context, emit, tools)
        self._signals = Signals()
        self._streaming: Streaming | None = None
        self._task: asyncio.Task[None] | None = None
        self._losses = 0
        """Streams lost in a row without progress."""
        self._lost_at = start.position
        """Border at the last of them."""
        self._doubted_at: int | None = None
        """Border at which a stream ended that left speech without a word."""
        self._outages = 0
        """How often in a row the engine was given up."""
        self._down_until = 0.0
        """Time until which it is not tried again."""

    @property
    def pending(self) -> int:
        """Samples that no stream has been given."""
        return self._tiling.unsent

    async def feed(self, samples: Samples) -> None:
        """Take the next samples; returns when more may come."""
        loop = asyncio.get_running_loop()
        for block in blocks(samples, SAMPLE_RATE):
            speech = await loop.run_in_executor(self._tools.executor, self._judge.feed, block)
            self._tiling.take(block, speech)
            self._signals.audio.set()
            await self._carry()

    async def flush(self) -> None:
        """End the stream, close and emit everything up to the last sample."""
        self._signals.flushing = True
        self._signals.audio.set()
        try:
            if self._begin() is not None:
                await self._ended()
        finally:
            self._signals.flushing = False
        if self._tiling.received > self._tiling.border:
            # It came while the engine is down.
            await self._give_up(whole=True)

    async def aclose(self) -> None:
        """Stop without closing anything."""
        if (task := self._task) is not None:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled() and (error := task.exception()) is not None:
                log.info("ended after an error", extra=about(self._start.session, error=str(error)))

    async def _carry(self) -> None:
        """Let a stream take the audio; wait while there is too much of it."""
        if self._begin() is None:
            if self._tiling.received - self._tiling.border >= GIVEN_UP:
                await self._give_up(whole=False)
            return
        while self._task and not self._task.done() and self._tiling.unsent > AHEAD:
            self._signals.room.clear()
            await self._signals.room.wait()
        if self._task and self._task.done():
            await self._ended()

    def _begin(self) -> asyncio.Task[None] | None:
        """Give the task that streams, None while the engine is down or there is nothing to do."""
        if self._task is None and self._tiling.unsent:
            if asyncio.get_running_loop().time() < self._down_until:
                return None
            self._task = asyncio.create_task(self._run(), name=f"stream of {self._start.session}")
        return self._task

    async def _ended(self) -> None:
        """Wait for the end of the task; raises its error."""
        assert self._task is not None
        await asyncio.wait([self._task])
        self._task.result()
        self._task = None

    async def _run(self) -> None:
        """Stream until all is closed that was to be flushed, or the engine is given up."""
        try:
            async with asyncio.TaskGroup() as group:
                emitting = group.create_task(self._outbox.run(), name="stream emit")
                while await self._has_audio():
                    try:
                        await self._stream()
                    except EngineError as error:
                        if (task := asyncio.current_task()) and task.cancelling():
                            # A group takes the error of a child for more than its cancellation.
                            raise asyncio.CancelledError from error
                        self._tiling.rewind()
                        if not await self._is_worth_another(error):
                            break
                    else:
                        self._losses = self._outages = 0
                await self._outbox.join()
                emitting.cancel()
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            self._signals.room.set()

    async def _has_audio(self) -> bool:
        """Wait for audio to stream; False if all is closed that was to be flushed."""
        while not self._tiling.unsent:
            if self._signals.flushing:
                return False
            self._signals.audio.clear()
            await self._signals.audio.wait()
        return True

    async def _stream(self) -> None:
        """Open one stream and take what it says until its end. Raises EngineError."""
        self._tiling.rewind()
        streams = self._tools.streams
        async with streams.open(self._options()) as stream:
            self._streaming = Streaming(
                stream, self._tiling, streams.rules, self._signals, self._hear, self._look
            )
            await self._streaming.run()
        if self._tiling.leaves_speech and self._doubted_at != self._tiling.border:
            # A service that broke off may seem to have ended: what two streams say is believed.
            self._doubted_at = self._tiling.border
            raise EngineAway("the stream ended without a word of the speech in it")
        if (closed := self._tiling.end()) is not None:
            self._outbox.put(Timed(closed))

    async def _is_worth_another(self, error: EngineError) -> bool:
        """Wait before another stream is opened; False if the engine is given up for a while.

        Whoever takes the span that says so may raise, and let another engine go on before it.
        """
        moved = self._tiling.border > self._lost_at
        self._losses = 1 if moved else self._losses + 1
        self._lost_at = self._tiling.border
        metrics.STREAM_LOSSES.labels(error.code).inc()
        extra = about(self._start.session, attempt=self._losses, code=error.code, error=str(error))
        log.warning("a stream was lost", extra=extra)
        if error.retryable and self._losses < self._tools.streams.rules.tries:
            if self._tools.streams.watch.away:
                # Others have found out: whoever takes this need not, if another engine goes on.
                self._outbox.put(Timed(self._tiling.nothing(), given_up=True))
            await asyncio.sleep(pause(self._losses, self._tools.chance()))
            return True
        self._losses, self._outages = 0, self._outages + 1
        self._down_until = asyncio.get_running_loop().time() + outage(self._outages)
        self._outbox.put(Timed(self._tiling.give_up(whole=False), given_up=True))
        return False

    async def _give_up(self, *, whole: bool) -> None:
        await self._outbox.emit(Timed(self._tiling.give_up(whole=whole), given_up=True))

    async def _hear(self, result: Result) -> None:
        if not result.final:
            shown = self._tiling.show(result)
            if shown is not None:
                self._listening.said(shown.end)
                self._offer(shown)
            return
        for closed in self._tiling.finish(result):
            sent_at = self._streaming.sent_at(closed.end) if self._streaming else None
            self._outbox.put(Timed(closed, sent_at))
        await self._outbox.room()

    async def _look(self, due: int) -> None:
        """Commit silence, so that no audio waits for a word that never comes.

        Of what may be speech, tell that it is heard.
        """
        if (closed := self._tiling.rest(due)) is not None:
            self._outbox.put(Timed(closed))
            await self._outbox.room()
        self._listening.said(self._tiling.border)
        if self._listening.sent(self._tiling.sent):
            self._offer(Shown(self._tiling.border, self._tiling.sent, (), 0.0, None))

    def _offer(self, shown: Shown) -> None:
        if not self._start.partials:
            return
        words = shown.words
        confidence = sum(word.confidence for word in words) / max(len(words), 1)
        self._outbox.offer(
            Partial(
                start=shown.start,
                end=shown.end,
                text=" ".join(word.text for word in words),
                words=words,
                stability=shown.stability,
                confidence=round(confidence, 3),
                language=shown.language,
                processing_ms=0,
            )
        )

    def _options(self) -> Options:
        """Give the session's options, with the language that its first speech was in."""
        options = self._start.options
        return replace(options, language=options.language or self._outbox.language)
