"""What a local engine understands, as the fake passes it on."""

from typing import Any, cast

import numpy as np
import pytest
from tests.fake_transcribe.hearing import Emit, Heard, heard_by, spread
from tests.fake_transcribe.parameters import Parameters

from steno_common.messages import Word
from steno_transcriber.domain.hypothesis import Hypothesis, Options
from steno_transcriber.recogniser import Partial, Span
from steno_transcriber.recognition import Recognition

WORDS = (Word("one", 0, 10, 0.9), Word("two", 10, 20, 0.8), Word("three", 20, 30, 0.7))
PARTIAL = Partial(0, 30, "one two three", WORDS, 2 / 3, 0.8, "en", 5)
SAID = Hypothesis("one two three", WORDS, "en", 0.6, 0.8)


def span(hypothesis: Hypothesis | None) -> Span:
    return Span(0, 40, 1, 31, hypothesis, "", None, "pause", 40, 5)


class Engine:
    """Says what it is told, whatever it is fed."""

    def __init__(self, *events: Partial | Span) -> None:
        self.events = events
        self.options = Options()
        self.emit: Any = None

    def recogniser(self, _session: str, emit: Any, *, options: Options) -> "Engine":
        self.emit, self.options = emit, options
        return self

    async def feed(self, _samples: object) -> None:
        for event in self.events:
            await self.emit(event)


def collecting(into: list[Heard]) -> Emit:
    async def emit(heard: Heard) -> None:
        into.append(heard)

    return emit


async def heard(*events: Partial | Span) -> list[Heard]:
    seen: list[Heard] = []
    listen = heard_by(cast(Recognition, Engine(*events)))
    await listen(Parameters("s", "pcm", 16_000, "en-US"), collecting(seen)).feed(np.zeros(1, "<i2"))
    return seen


async def test_partials_say_how_many_words_are_agreed_on_and_finals_come_last() -> None:
    assert await heard(PARTIAL, span(SAID)) == [
        Heard(0, 30, WORDS, final=False, agreed=2, language="en"),
        Heard(1, 31, WORDS, final=True, agreed=3, language="en", probability=0.6),
    ]


async def test_a_segment_that_was_shown_ends_even_if_nothing_was_understood() -> None:
    assert await heard(PARTIAL, span(None), span(None)) == [
        Heard(0, 30, WORDS, final=False, agreed=2, language="en"),
        Heard(1, 31, (), final=True),
    ]


@pytest.mark.parametrize(
    ("parameters", "language"),
    [
        (Parameters("s", "pcm", 16_000, "ckb-IQ"), "ckb"),
        (Parameters("s", "pcm", 16_000, None, ("en-US", "de-DE")), None),
        (Parameters("s", "pcm", 16_000, None, ("en-US", "de-DE"), many_languages=True), "multi"),
    ],
)
def test_the_engine_is_told_the_language(parameters: Parameters, language: str | None) -> None:
    engine = Engine()
    heard_by(cast(Recognition, engine))(parameters, collecting([]))
    assert engine.options.language == language


def test_words_of_a_script_share_its_time() -> None:
    assert spread("a b c", 0, 300, 0.5) == (
        Word("a", 0, 100, 0.5),
        Word("b", 100, 200, 0.5),
        Word("c", 200, 300, 0.5),
    )
    assert spread("", 0, 300, 0.5) == ()
