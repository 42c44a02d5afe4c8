"""Recognisers on engines that answer at once, and what comes out of them."""

from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import replace

from tests.unit.transcriber.sound import RULES, ForgetfulDetector, loud, quiet, sound

from steno_transcriber.domain.cadence import Pace
from steno_transcriber.domain.hypothesis import Hypothesis, Request
from steno_transcriber.domain.samples import Samples
from steno_transcriber.engines.scripted import spoken
from steno_transcriber.recogniser import Partial, Span
from steno_transcriber.scheduler import ignore
from steno_transcriber.tools import Start, Tools
from steno_transcriber.window_recogniser import WindowRecogniser

SPEECH = sound(quiet(8_000), loud(32_000), quiet(16_000), loud(24_000, 3), quiet(20_000))


async def answer(session: str, request: Request) -> Hypothesis:
    request.taken, window = True, request.window
    # What the prompt was shows in the text, so that a wrong context shows too.
    heard = spoken(window)
    return replace(heard, text=f"{heard.text} after {len(window.prompt)}")


class Sink:
    """Keeps the events."""

    def __init__(self) -> None:
        self.events: list[Partial | Span] = []

    async def __call__(self, event: Partial | Span) -> None:
        self.events.append(event)

    @property
    def spans(self) -> list[Span]:
        return [replace(e, processing_ms=0) for e in self.events if isinstance(e, Span)]

    @property
    def partials(self) -> list[Partial]:
        return [e for e in self.events if isinstance(e, Partial)]


def tools(
    executor: Executor, decode: Callable[[str, Request], Awaitable[Hypothesis]] = answer
) -> Tools:
    return Tools(decode, ForgetfulDetector, executor, RULES, 3_200, Pace(), ignore)


async def recognised(executor: Executor, pieces: list[Samples], start: Start) -> list[Span]:
    sink = Sink()
    recogniser = WindowRecogniser(start, sink, tools(executor))
    for piece in pieces:
        await recogniser.feed(piece)
    await recogniser.flush()
    await recogniser.aclose()
    return sink.spans
