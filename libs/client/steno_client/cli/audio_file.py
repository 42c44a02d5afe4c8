"""Audio files as a stream of PCM."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from steno_audio import BYTES_PER_SAMPLE, SAMPLE_RATE, decode_file, file_samples

Pace = Literal["realtime", "fast"]
_BLOCK_SAMPLES: Final = {"realtime": SAMPLE_RATE // 10, "fast": SAMPLE_RATE // 2}


@dataclass(frozen=True, slots=True)
class Timing:
    """A clock in seconds with the sleep that goes with it."""

    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


async def duration(path: Path) -> float | None:
    """Seconds that a file says it has; raises AudioError for what is no audio."""
    samples = await asyncio.to_thread(file_samples, path)
    return None if samples is None else samples / SAMPLE_RATE


async def decoded(path: Path, block_samples: int = SAMPLE_RATE) -> AsyncGenerator[bytes, None]:
    """16 kHz mono s16le of a file, decoded in a thread of its own; raises AudioError."""
    loop = asyncio.get_running_loop()
    blocks = decode_file(path, block_samples=block_samples)
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="steno-decoder") as thread:
            while block := await loop.run_in_executor(thread, next, blocks, b""):
                yield block
    finally:
        if isinstance(blocks, Generator):
            blocks.close()


async def paced(path: Path, pace: Pace, timing: Timing) -> AsyncGenerator[bytes, None]:
    """A file's audio; at real-time pace no block comes before it would have been spoken."""
    start, samples = timing.clock(), 0
    async with aclosing(decoded(path, _BLOCK_SAMPLES[pace])) as blocks:
        async for block in blocks:
            samples += len(block) // BYTES_PER_SAMPLE
            early = start + samples / SAMPLE_RATE - timing.clock()
            if pace == "realtime" and early > 0:
                await timing.sleep(early)
            yield block
