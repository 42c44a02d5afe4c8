"""One stream of one session: its audio sent at the engine's pace, its results handed over."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from steno_common.units import SAMPLE_RATE, to_seconds
from steno_transcriber.domain.pacing import Pacing
from steno_transcriber.domain.results import Result
from steno_transcriber.domain.tiling import Tiling
from steno_transcriber.engines.base import EngineAway, Stream, StreamRules

PIECE: Final = SAMPLE_RATE // 5
"""Samples that are sent at once, at most."""
SILENCE: Final = np.zeros(SAMPLE_RATE // 10, np.int16)
"""What keeps a stream open."""

Hear = Callable[[Result], Awaitable[None]]
Look = Callable[[int], Awaitable[None]]


@dataclass(slots=True)
class Signals:
    """What the two sides of a recogniser tell each other."""

    audio: asyncio.Event = field(default_factory=asyncio.Event)
    """There is audio to send, or everything is to be closed."""
    room: asyncio.Event = field(default_factory=asyncio.Event)
    """Audio was sent, or none will be."""
    flushing: bool = False
    """All that is there is to be closed."""


@dataclass(slots=True)
class Streaming:
    """Feeds a stream from the tiling until its end, which comes cleanly or as an error."""

    stream: Stream
    tiling: Tiling
    rules: StreamRules
    signals: Signals
    hear: Hear
    """Takes each result."""
    look: Look
    """Called after audio was sent, with the position up to which the engine has had its time to
    speak of it: of audio that is sent again, faster than it was spoken, no less than of other."""
    finished: bool = False
    """Whether all audio was sent that the stream will get."""
    _sent: deque[tuple[int, float]] = field(default_factory=deque)
    """Position after each piece with the time at which it was sent."""

    async def run(self) -> None:
        """Return when the engine has said all of what it was sent.

        Raises EngineError if the stream is lost; errors of `hear` and `look` pass through.
        """
        try:
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(self._send(), name="stream send")
                async for result in self.stream.results():
                    await self.hear(result)
                if not self.finished:
                    raise EngineAway("the engine ended the stream before its audio")
                sending.cancel()
        except BaseExceptionGroup as errors:
            # Both sides of a broken stream fail; what the session must hear of goes first.
            raise next(
                (each for each in errors.exceptions if not isinstance(each, EngineAway)),
                errors.exceptions[0],
            ) from None

    def sent_at(self, position: int) -> float | None:
        """Say when the sample before a position was sent; what lies before it is forgotten."""
        while len(self._sent) > 1 and self._sent[0][0] < position:
            self._sent.popleft()
        return self._sent[0][1] if self._sent else None

    def _sent_by(self, moment: float) -> int:
        """Give the position behind what had been sent at a moment, of what is not closed."""
        self.sent_at(self.tiling.border)
        return next((position for position, at in reversed(self._sent) if at <= moment), 0)

    async def _send(self) -> None:
        pacing = Pacing(self.rules.pace, self.rules.burst_seconds)
        clock = asyncio.get_running_loop().time
        settle = to_seconds(self.rules.patience.settle)
        while not self.tiling.is_turn_due():
            if not self.tiling.unsent:
                if self.signals.flushing:
                    break
                await self._wait()
                continue
            if delay := pacing.wait(clock()):
                await asyncio.sleep(delay)
            piece = self.tiling.send(PIECE)
            await self._handed_over(self.stream.send(piece))
            pacing.sent(clock(), len(piece))
            self._sent.append((self.tiling.sent, clock()))
            self.signals.room.set()
            await self.look(self._sent_by(clock() - settle))
        self.finished = True
        await self._handed_over(self.stream.finish())
        await asyncio.sleep(self.rules.finish_seconds)
        raise EngineAway("the engine did not end the stream in time")

    async def _wait(self) -> None:
        """Wait for audio; keep the stream open while there is none."""
        self.signals.audio.clear()
        try:
            async with asyncio.timeout(self.rules.keep_alive_seconds):
                await self.signals.audio.wait()
        except TimeoutError:
            self.tiling.send_silence(len(SILENCE))
            await self._handed_over(self.stream.send(SILENCE))

    async def _handed_over(self, sending: Awaitable[None]) -> None:
        """Wait until the stream has taken something; it may stop taking anything."""
        try:
            async with asyncio.timeout(self.rules.finish_seconds):
                await sending
        except TimeoutError:
            raise EngineAway("the engine takes no more audio") from None
