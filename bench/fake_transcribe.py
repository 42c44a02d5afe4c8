"""What the fake of Amazon Transcribe costs: many streams at once, in real time.

    .venv/bin/python -m bench.fake_transcribe --streams 50 --seconds 20

Runs the fake as a process with the engine that reads numbers, beside it clients of Amazon's own
library in one process, each with a connection of its own; says what both take of a core, and how
long after the audio of a word its final result came.
"""

import argparse
import asyncio
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
from tests.fake_transcribe.client import CHUNK_BYTES, client_of, end_of, start

from steno_transcriber.engines.numbers import phrase, silence

CHUNK_SECONDS: Final = 0.1


@dataclass(frozen=True)
class Fake:
    """Where it listens, and its process."""

    endpoint: str
    ca_file: str
    process: psutil.Process


@dataclass
class Stream:
    """What one client saw."""

    said: str = ""
    heard: str = ""
    delays: list[float] = field(default_factory=list)
    """Seconds from the sending of a segment's last audio to its final."""


@contextmanager
def fake_service(streams: int) -> Iterator[Fake]:
    """Run the fake with room for so many streams."""
    with tempfile.TemporaryDirectory() as folder:
        ca_file = Path(folder) / "ca.pem"
        command = [sys.executable, "-m", "tests.fake_transcribe", "--ca-out", str(ca_file),
                   "--limits", json.dumps({"streams": streams})]  # fmt: skip
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                ready: dict[str, Any] = json.loads(process.stdout.readline())
                yield Fake(ready["endpoint"], ready["ca_file"], psutil.Process(process.pid))
            finally:
                process.terminate()
                process.communicate(timeout=20)


async def one(fake: Fake, number: int, seconds: float) -> Stream:
    """Speak in phrases of 2 s with pauses of 1 s; the clock begins with the stream."""
    seen, clock = Stream(), asyncio.get_running_loop().time
    numbers = (number * 1_000 + place for place in itertools.count(1))
    pieces = []
    for _ in range(max(1, round(seconds / 3))):
        words = list(itertools.islice(numbers, 8))
        pieces += [phrase(words), silence(16_000)]
        seen.said += " ".join(map(str, words)) + " "
    audio = np.concatenate(pieces).astype("<i2").tobytes()
    stream = await start(client_of(fake))
    began = clock()

    async def send() -> None:
        for index, place in enumerate(range(0, len(audio), CHUNK_BYTES), 1):
            await asyncio.sleep(began + index * CHUNK_SECONDS - clock())
            await stream.input_stream.send_audio_event(audio[place : place + CHUNK_BYTES])
        await end_of(stream)

    async with asyncio.TaskGroup() as group:
        group.create_task(send(), name=f"audio of {number}")
        async for event in stream.output_stream:
            for result in event.transcript.results:
                if not result.is_partial:
                    seen.heard += (result.alternatives[0].transcript or "") + " "
                    seen.delays.append(clock() - began - (result.end_time or 0.0))
    return seen


async def measured(fake: Fake, streams: int, seconds: float) -> None:
    """Run the streams, then say what they took."""
    clock = asyncio.get_running_loop().time
    processes = {"fake": fake.process, "clients": psutil.Process()}
    before = {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}
    began = clock()
    seen = await asyncio.gather(*(one(fake, number, seconds) for number in range(1, streams + 1)))
    took = clock() - began
    wrong = sum(stream.said != stream.heard for stream in seen)
    delays = sorted(delay for stream in seen for delay in stream.delays)
    print(f"{streams} streams, {took:.1f} s, {wrong} with another text than was said")
    for name, process in processes.items():
        spent = sum(process.cpu_times()[:2]) - before[name]
        share = spent / took
        print(f"{name}: {share:.2f} cores, {1_000 * share / streams:.1f} ms a second of a stream,"
              f" {process.memory_info().rss / 2**20:.0f} MiB")  # fmt: skip
    print(f"finals: p50 {statistics.median(delays):.2f} s, max {delays[-1]:.2f} s behind the word"
          " before the pause (of which the pause that ends a segment is 0.5 s)")  # fmt: skip


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.fake_transcribe")
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    with fake_service(options.streams) as fake:
        asyncio.run(measured(fake, options.streams, options.seconds))


if __name__ == "__main__":
    main()
