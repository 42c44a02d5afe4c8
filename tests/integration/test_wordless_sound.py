"""Sound like speech without words in it: a client is not told that text is late, as none comes.

From a recogniser's audio to what a gateway finds of it, on virtual time.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import cast

import pytest
from tests.unit.transcriber.sound import RULES, ForgetfulDetector, loud
from tests.unit.transcriber.streams_fake import FakeEngine, Plan
from tests.unit.transcriber.streams_rig import recogniser, simulated

from steno_common.lateness import TOLD_MS
from steno_common.messages import Word
from steno_common.units import SAMPLE_RATE
from steno_gateway.domain.latency import LatencyMeter
from steno_transcriber.domain.cadence import Pace
from steno_transcriber.domain.hypothesis import Hypothesis, Request
from steno_transcriber.recogniser import Partial, Recogniser, Span
from steno_transcriber.reports import partial_report
from steno_transcriber.scheduler import ignore
from steno_transcriber.tools import Start, Tools
from steno_transcriber.window_recogniser import WindowRecogniser

CHUNK = 1_600
SECONDS = 30
SOUND = loud(SECONDS * SAMPLE_RATE)
"""Nobody pauses: to the detector all of it is speech."""


@dataclass
class Client:
    """What a gateway knows of a client that streams the sound as it is heard."""

    meter: LatencyMeter = field(default_factory=LatencyMeter)
    heard: int = 0
    stalled_at: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    async def take(self, event: Partial | Span) -> None:
        """Take what a recogniser tells, as it comes through the services."""
        if isinstance(event, Span):
            self.meter.done(event.end // CHUNK)
            return
        message = partial_report(event, 0, 0, 0)
        self.heard = max(self.heard, message.end)
        if message.text:
            self.texts.append(message.text)
            latency = self.meter.partial(message, now_ms())
            self.latencies += [] if latency is None else [latency]

    async def stream(self, held: Recogniser) -> None:
        """Send the sound, and see every 0.1 s whether it seems to lag."""
        audio: asyncio.Queue[int] = asyncio.Queue()
        feeding = asyncio.create_task(self._feed(held, audio), name="feeding")
        for number in range(SECONDS * 10):
            await asyncio.sleep(0.1)
            self.meter.received(number + 1, now_ms())
            self.meter.stored(number + 1, (number + 1) * CHUNK, CHUNK)
            audio.put_nowait(number * CHUNK)
            if self.meter.stalled(now_ms(), self.heard):
                self.stalled_at.append(asyncio.get_running_loop().time())
        feeding.cancel()
        await asyncio.wait([feeding])
        await held.aclose()

    @staticmethod
    async def _feed(held: Recogniser, audio: "asyncio.Queue[int]") -> None:
        while True:
            at = await audio.get()
            await held.feed(SOUND[at : at + CHUNK])


def now_ms() -> float:
    return asyncio.get_running_loop().time() * 1000


@dataclass
class Windows:
    """Decodes windows in so many seconds; hears a word from so many seconds of sound on."""

    seconds: float
    word_from: float = float("inf")

    async def __call__(self, session: str, request: Request) -> Hypothesis:
        request.taken = True
        length = len(request.window.audio)
        await asyncio.sleep(self.seconds)
        if length < self.word_from * SAMPLE_RATE:
            return Hypothesis()
        # Where it is in the window, models only guess in partials.
        return Hypothesis("word", (Word("word", 0, length, 1.0),))


def heard_by(decode: Callable[[str, Request], Awaitable[Hypothesis]]) -> Client:
    """Stream the sound to an engine that decodes windows."""
    client = Client()
    rules = replace(RULES, max_segment=20 * SAMPLE_RATE)
    kit = Tools(decode, ForgetfulDetector, cast("Executor", None), rules, 3_200, Pace(), ignore)

    async def scenario() -> None:
        await client.stream(WindowRecogniser(Start("s"), client.take, kit))

    simulated(scenario)
    return client


def test_sound_that_an_engine_finds_no_word_in_is_not_late() -> None:
    client = heard_by(Windows(0.2))
    assert client.stalled_at == []
    assert client.texts == []


def test_an_engine_that_takes_its_audio_and_needs_too_long_for_it_is_late() -> None:
    assert heard_by(Windows(6.0)).stalled_at


def test_an_engine_that_never_answers_is_late_after_five_seconds() -> None:
    assert heard_by(Windows(10_000.0)).stalled_at[0] == pytest.approx(5.2, abs=0.2)


def test_the_first_word_behind_long_sound_is_not_as_late_as_the_sound_is_long() -> None:
    client = heard_by(Windows(0.2, word_from=10.0))
    assert client.texts[0] == "word"
    assert max(client.latencies) < TOLD_MS
    assert client.stalled_at == []


def test_words_of_an_engine_that_is_slow_are_late() -> None:
    client = heard_by(Windows(4.0, word_from=0.0))
    assert max(client.latencies) > TOLD_MS


def streamed_to(engine: FakeEngine) -> Client:
    """Stream the sound to an engine that takes streams."""
    client = Client()

    async def scenario() -> None:
        await client.stream(recogniser(engine, client.take))

    simulated(scenario)
    return client


def test_sound_that_a_service_takes_and_says_nothing_of_is_not_late_while_it_is_trusted() -> None:
    client = streamed_to(FakeEngine(*(Plan(says=False) for _ in range(20))))
    trusted = FakeEngine().rules.patience.unheard / SAMPLE_RATE
    assert all(at > trusted for at in client.stalled_at)
    assert client.texts == []


def test_a_service_that_takes_no_stream_is_late_after_five_seconds() -> None:
    client = streamed_to(FakeEngine(*(Plan(opens=False) for _ in range(20))))
    assert client.stalled_at[0] == pytest.approx(5.2, abs=0.2)
