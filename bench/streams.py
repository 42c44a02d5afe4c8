"""What live streams of the engine `aws` cost a transcriber, against the fake in another process.

    .venv/bin/python -m bench.streams 1 10 25

Each line: CPU of this process with so many streams that have no audio, with so many that are spoken
on in real time, and how long it takes from a chunk of 40 ms to its being handed to the network.
"""

import asyncio
import os
import resource
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
from bench.fake_transcribe import fake_service

from steno_transcriber.domain.samples import Samples
from steno_transcriber.engines.numbers import phrase, silence
from steno_transcriber.recogniser import Partial, Recogniser, Span
from steno_transcriber.recognition import Recognition, open_recognition
from steno_transcriber.settings import RecognitionSettings

CHUNK: Final = 640
AUDIO: Final = np.concatenate([phrase([1, 2, 3, 4, 5]), silence(16_000)] * 3)
IDLE_SECONDS: Final = 3.0
WARM_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 0.001


@contextmanager
def service(streams: int) -> Iterator[None]:
    """Run the fake with room for so many streams, and make the engine find it."""
    with fake_service(streams) as fake:
        os.environ.update(
            AWS_ACCESS_KEY_ID="AKIDEXAMPLE",
            AWS_SECRET_ACCESS_KEY="secret",
            STENO_AWS_REGION="us-east-1",
            STENO_AWS_ENDPOINT=fake.endpoint,
            STENO_AWS_CA_FILE=fake.ca_file,
        )
        yield


def cpu() -> float:
    """Give the CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def ignore(_event: Partial | Span) -> None:
    """Emit nothing."""


async def speak(recogniser: Recogniser, delay: float, waits: list[float]) -> None:
    """Feed the audio in real time; note how long each chunk waits here."""
    await asyncio.sleep(delay)
    begun = time.monotonic()
    for at in range(0, len(AUDIO), CHUNK):
        await asyncio.sleep(max(0.0, begun + at / 16_000 - time.monotonic()))
        fed = time.monotonic()
        await recogniser.feed(AUDIO[at : at + CHUNK])
        while recogniser.pending:  # noqa: ASYNC110 - it has no event for this
            await asyncio.sleep(LOOK_SECONDS)
        waits.append(time.monotonic() - fed)


async def measure(recognition: Recognition, count: int) -> None:
    """Print one line."""
    held = [recognition.recogniser(str(number), ignore) for number in range(count)]
    start: Samples = silence(CHUNK)
    for each in held:
        await each.feed(start)
    await asyncio.sleep(WARM_SECONDS)
    used = cpu()
    await asyncio.sleep(IDLE_SECONDS)
    idle = (cpu() - used) / IDLE_SECONDS
    waits: list[float] = []
    used, begun = cpu(), time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number, each in enumerate(held):
            group.create_task(speak(each, number * 0.037, waits))
    busy = (cpu() - used) / (time.monotonic() - begun)
    for each in held:
        await each.aclose()
    cuts = statistics.quantiles(waits, n=100)
    print(
        f"{count} streams: idle {idle:.2f} cores, spoken on {busy:.2f} cores,"
        f" to the network {cuts[49] * 1000:.1f} ms, 99 of 100 {cuts[98] * 1000:.1f} ms"
    )


async def main() -> None:
    """Measure each number of streams in turn."""
    counts = [int(text) for text in sys.argv[1:]] or [1, 10]
    with service(max(counts)):
        async with open_recognition(RecognitionSettings(engine="aws")) as recognition:
            for count in counts:
                await measure(recognition, count)


if __name__ == "__main__":
    asyncio.run(main())
