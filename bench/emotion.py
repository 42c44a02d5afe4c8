"""What measuring how a session sounds costs for each 100 ms of audio.

    .venv/bin/python -m bench.emotion --seconds 120
    .venv/bin/python -m bench.emotion --file recording.wav

Feeds chunks of 100 ms to the meters of a transcriber, beside the same to its segmenter with the
speech detector, which every session takes whatever its engine is. `each chunk` asks for the newest
emotion dynamics behind every chunk, `once a second` as often as partials or commits do.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from steno_audio import decode_file
from steno_transcriber.domain.emotion import EmotionMeter
from steno_transcriber.domain.prosody import measure
from steno_transcriber.domain.quality import QualityMeter
from steno_transcriber.domain.samples import Samples, blocks, from_bytes
from steno_transcriber.domain.segmenter import Rules, Segmenter
from steno_transcriber.speech import SileroModel

CHUNK: Final = 1_600
RULES: Final = Rules(pause=8_000, max_segment=240_000)


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor time of each chunk, in µs: others on the machine take no part in it."""

    name: str
    each: Sequence[float]

    @property
    def mean(self) -> float:
        """Mean over all chunks."""
        return statistics.fmean(self.each)

    def row(self, base: float) -> str:
        """Give a line of the table; `base` is the mean that it is compared with."""
        quantiles = statistics.quantiles(self.each, n=100)
        return (
            f"| {self.name} | {quantiles[49]:.0f} | {quantiles[98]:.0f} | {self.mean:.0f}"
            f" | {100 * self.mean / base:.0f} % |"
        )


def babble(seconds: float) -> Samples:
    """Give noise that comes and goes four times a second, with a pause every 4 s."""
    times = np.arange(int(seconds * 16_000)) / 16_000
    wave = np.random.default_rng(1).normal(0, 3_000, len(times))
    return (wave * (np.sin(8 * np.pi * times) > 0) * (times % 4 < 3.2)).astype(np.int16)


def timed(name: str, audio: Samples, work: Callable[[int, Samples], object]) -> Cost:
    """Do the work of each chunk in turn."""
    found = []
    for number, chunk in enumerate(blocks(audio, CHUNK)):
        began = time.thread_time()
        work(number, chunk)
        found.append((time.thread_time() - began) * 1e6)
    return Cost(name, found)


def costs(audio: Samples) -> list[Cost]:
    """Measure all of it on the same audio; the first is what the others are compared with."""
    segmenter = Segmenter(0, RULES, SileroModel().start)
    eager, seldom, quality = EmotionMeter(), EmotionMeter(), QualityMeter()

    def each(_: int, chunk: Samples) -> None:
        eager.feed(chunk)
        eager.latest()

    def once(number: int, chunk: Samples) -> None:
        seldom.feed(chunk)
        if number % 10 == 9:
            seldom.latest()

    def heard(_: int, chunk: Samples) -> None:
        quality.feed(chunk)

    return [
        timed("segmenter with its detector", audio, lambda _, chunk: segmenter.feed(chunk)),
        timed("emotion, each chunk", audio, each),
        timed("emotion, once a second", audio, once),
        timed("audio quality", audio, heard),
    ]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=120.0, help="of audio, without a file")
    parser.add_argument("--file", help="any file that PyAV opens, instead of noise")
    options = parser.parse_args()
    audio = babble(options.seconds)
    if options.file:
        audio = from_bytes(b"".join(decode_file(options.file)))
    costs(audio[:32_000])  # first calls make tables
    found = costs(audio)
    print("| 100 ms of audio | median µs | p99 µs | mean µs | of the segmenter's |")
    print("|---|---|---|---|---|")
    for cost in found:
        print(cost.row(found[0].mean))
    segment = audio[: 10 * 16_000]
    began = time.thread_time()
    measure(segment)
    seconds = time.thread_time() - began
    length = len(segment) / 16_000
    print(f"\na final of {length:.0f} s: {seconds * 1e3:.1f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
