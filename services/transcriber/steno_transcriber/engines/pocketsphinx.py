"""The embedded engine: pocketsphinx with the English model of its wheel, on all cores."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final

from steno_common.messages import Word
from steno_common.units import to_seconds
from steno_transcriber.domain.hypothesis import Again, Hypothesis, Window
from steno_transcriber.engines.base import EngineError, EngineUnavailable
from steno_transcriber.engines.cores import usable_cores
from steno_transcriber.settings import RecognitionSettings

FRAME: Final = 160
"""Samples of one frame of the decoder (10 ms)."""
_SHORTEST: Final = 8 * FRAME
"""The decoder refuses audio without a few whole frames; no word is shorter."""
_START_SECONDS: Final = 30.0
_DECODE_SECONDS: Final = 60.0
"""A window takes a fifth of its length; a child that needs so long hangs."""

_NO_WORD: Final = re.compile(r"[<\[+]")
"""Silence, noise and sentence marks start like this."""
_VARIANT: Final = re.compile(r"\(\d+\)$")
"""The number of a pronunciation, as in `and(2)`."""

Heard = Sequence[tuple[str, int, int, float]]
"""Word, first frame, last frame, probability."""


def hypothesis(heard: Heard) -> Hypothesis:
    """Read the decoder's words."""
    words = tuple(
        Word(
            _VARIANT.sub("", text),
            first * FRAME,
            (last + 1) * FRAME,
            round(min(1.0, max(0.0, probability)), 3),
        )
        for text, first, last, probability in heard
        if not _NO_WORD.match(text)
    )
    if not words:
        return Hypothesis(language="en")
    return Hypothesis(
        text=" ".join(word.text for word in words),
        words=words,
        language="en",
        confidence=round(sum(word.confidence for word in words) / len(words), 3),
    )


class _Child:
    """One decoder process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls) -> "_Child":
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "steno_transcriber.engines.sphinx_child", str(os.getpid())),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        child = cls(process)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await child._answer()
        except BaseException:
            await child.stop()
            raise
        return child

    async def ask(self, pcm: bytes) -> Heard:
        assert self._process.stdin is not None
        self._process.stdin.write(len(pcm).to_bytes(4, "little") + pcm)
        async with asyncio.timeout(_DECODE_SECONDS):
            await self._process.stdin.drain()
            return await self._answer()

    async def _answer(self) -> Heard:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise EOFError("the decoder process ended")
        heard: Heard = json.loads(line)
        return heard

    async def stop(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


class PocketsphinxEngine:
    """Decodes each window in a free child process; one that fails is replaced."""

    name = "pocketsphinx"
    # Its language model remembers nothing of the segment before, so segments should be sentences:
    # shorter pauses within them cost words.
    pause_seconds = 1.2
    max_segment_seconds = 15.0
    window_limit_seconds = 60.0
    partial_interval_seconds = 1.0
    max_batch = max_partials = 1
    window_seconds = 0.0

    def __init__(self, children: Sequence[_Child]) -> None:
        self.concurrency = len(children)
        # A window takes seconds; with one child only, there is none to spare.
        self.reserve = min(1, len(children) - 1)
        self._idle: asyncio.Queue[_Child | None] = asyncio.Queue(maxsize=len(children))
        for child in children:
            self._idle.put_nowait(child)

    def padded_seconds(self, window: Window) -> float:
        """Give the length of the audio."""
        return to_seconds(len(window.audio))

    def group(self, _window: Window) -> None:
        """Put all windows into one group."""

    async def decode(self, windows: Sequence[Window]) -> list[Hypothesis | Again]:
        """Decode one after the other; language and prompt mean nothing to this engine."""
        return [hypothesis(await self._heard(window)) for window in windows]

    async def _heard(self, window: Window) -> Heard:
        if len(window.audio) < _SHORTEST:
            return ()
        child, answered = await self._idle.get(), False
        try:
            child = child or await _Child.start()
            heard = await child.ask(window.audio.astype("<i2").tobytes())
            answered = True
        except (EOFError, OSError, ValueError) as error:
            raise EngineError(f"pocketsphinx: {error or 'no answer in time'}") from error
        finally:
            if child is not None and not answered:
                # An answer that comes too late must not be taken for that of the next window.
                await child.stop()
            self._idle.put_nowait(child if answered else None)
        return heard

    async def aclose(self) -> None:
        """Kill the children; call it when no decode is running."""
        while not self._idle.empty():
            if (child := self._idle.get_nowait()) is not None:
                await child.stop()


async def open_engine(settings: RecognitionSettings) -> PocketsphinxEngine:
    """Start all children; they have loaded the model when this returns.

    Raises EngineUnavailable.
    """
    if find_spec("pocketsphinx") is None:
        raise EngineUnavailable("engine pocketsphinx is not installed")
    wanted = settings.decoder_processes or usable_cores()
    started = await asyncio.gather(*(_Child.start() for _ in range(wanted)), return_exceptions=True)
    children = [child for child in started if isinstance(child, _Child)]
    if len(children) < wanted:
        for child in children:
            await child.stop()
        reason = next(error for error in started if not isinstance(error, _Child))
        raise EngineUnavailable(f"pocketsphinx does not start: {reason!r}")
    return PocketsphinxEngine(children)
