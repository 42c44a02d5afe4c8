"""The open segment of a session: partials while it grows, its final decoded early."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from steno_common.logs import about
from steno_transcriber.domain.agreement import Agreement
from steno_transcriber.domain.cadence import due
from steno_transcriber.domain.heard import Wordless
from steno_transcriber.domain.hypothesis import Decoded, Request, Window, placed, within
from steno_transcriber.domain.segmenter import OpenSpeech
from steno_transcriber.engines.base import EngineError
from steno_transcriber.recogniser import Partial
from steno_transcriber.tools import Tools

log = logging.getLogger(__name__)

Show = Callable[[Partial], Awaitable[None]]


class OpenSegment:
    """Asks for hypotheses of one segment while it grows, one at a time.

    Once speech has paused for as long as is decoded of a pause, the window is what the final will
    be if no more is said. So it is decoded as that, at once: where the pause goes on, the final is
    there when it is over.
    """

    def __init__(self, session: str, show: Show, tools: Tools) -> None:
        self._session = session
        self._show = show
        self._tools = tools
        self.origin = object()
        self._agreement = Agreement()
        self._wordless = Wordless()
        self._request: Request | None = None
        self._task: asyncio.Task[None] | None = None
        self._shown_until: int | None = None
        """Position up to which the last partial was decoded."""
        self._due_until: int | None = None
        """The same if every partial had come when it was due."""
        self._settled_until: int | None = None
        """End of the last window that was decoded as the final it may become."""
        self._foreseen: tuple[int, Decoded] | None = None
        """That window's end and hypothesis."""
        self.engine_seconds = 0.0
        """Time of the engine that its hypotheses took."""

    @property
    def unseen(self) -> bool:
        """Whether no hypothesis of the segment has been decoded yet."""
        return self._shown_until is None

    async def grow(self, speech: OpenSpeech, window: Window) -> None:
        """Take what is known of the segment now: ask for a partial if one is due.

        A partial that still waits in the queue is asked for the newer window instead.
        """
        if self._request is None:
            await self.aclose()
        end = speech.audio_end
        self._count_due(speech)
        if speech.settled:
            if self._settled_until == end:
                return
            # Asked for anew, it takes a place that may be kept for finals.
            await self.aclose()
            self._settled_until = end
        if self._request is not None:
            if not self._request.taken:
                self._request.window = window
            return
        interval = self._tools.partial_interval * self._tools.pace.stretch
        if speech.settled or _is_due(speech, self._shown_until, interval):
            self._request = Request(window, early=True)
            self._task = asyncio.create_task(
                self._decode(speech, self._request), name=f"partial of {self._session}"
            )

    async def final(self, audio_end: int) -> Decoded | None:
        """End the partials; give the final of the window up to `audio_end` if it was foreseen."""
        if self._settled_until == audio_end and self._task is not None:
            if self._request is not None:
                self._request.early = False
            await self._task
        await self.aclose()
        if self._foreseen is not None and self._foreseen[0] == audio_end:
            return self._foreseen[1]
        return None

    async def aclose(self) -> None:
        """Drop the partial on its way; one that is being shown is let through first."""
        if (task := self._task) is None:
            return
        if self._request is not None:
            task.cancel()
        await asyncio.wait([task])
        self._task = self._request = None
        if not task.cancelled():
            task.result()

    def _count_due(self, speech: OpenSpeech) -> None:
        if _is_due(speech, self._due_until, self._tools.partial_interval):
            self._due_until = speech.audio_end
            self._tools.observe("partials_due", 1)

    async def _decode(self, speech: OpenSpeech, request: Request) -> None:
        clock = asyncio.get_running_loop().time
        started = clock()
        try:
            answer = await self._tools.decode(self._session, request)
        except EngineError as error:
            self._tools.observe("partial_failures", 1)
            log.info("no partial", extra=about(self._session, code=error.code))
            self._shown_until = speech.audio_start + len(request.window.audio)
            return
        finally:
            self.engine_seconds += request.engine_seconds
            # From here on nothing is waited for that may be given up.
            self._request = None
        length = len(request.window.audio)
        end = self._shown_until = speech.audio_start + length
        hypothesis = placed(answer, speech.audio_start, length)
        if request.window.final:
            self._foreseen = (end, Decoded(hypothesis, request.work))
        first = self._wordless.first_word(speech.speech_start)
        words = self._agreement.update(within(hypothesis, first, end).words)
        if not words:
            self._wordless.note(end)
        await self._show(
            Partial(
                start=speech.speech_start,
                end=end,
                text=" ".join(word.text for word in words),
                words=words,
                stability=self._agreement.stability(words),
                confidence=hypothesis.confidence,
                language=hypothesis.language,
                processing_ms=round((clock() - started) * 1000),
            )
        )


def _is_due(speech: OpenSpeech, shown_until: int | None, interval: float) -> bool:
    return due(
        speech_start=speech.speech_start,
        audio_end=speech.audio_end,
        shown_until=shown_until,
        interval=interval,
    )
