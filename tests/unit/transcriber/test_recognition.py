"""Recognition of a process, whole: engine, scheduler, recognisers."""

import asyncio
import logging
from dataclasses import replace

import pytest
from tests.unit.transcriber.sound import (
    EXACT,
    MODEL,
    FakeEngine,
    clip,
    cut,
    loud,
    quiet,
    sound,
    transcripts,
    word_errors,
)

from steno_transcriber.domain.context import decode_context
from steno_transcriber.domain.samples import Samples
from steno_transcriber.engines.base import EngineUnavailable
from steno_transcriber.engines.choice import open_engine
from steno_transcriber.recogniser import Partial, Span
from steno_transcriber.recognition import Recognition, open_recognition, rules_for
from steno_transcriber.settings import RecognitionSettings

SCRIPTED = RecognitionSettings(engine="scripted")
SPEECH = sound(quiet(8_000), loud(32_000), quiet(60_000), loud(150_000, 3), quiet(20_000))


async def spans_of(
    recognition: Recognition, pieces: list[Samples], position: int = 0, context: str = ""
) -> list[Span]:
    events: list[Partial | Span] = []

    async def emit(event: Partial | Span) -> None:
        events.append(event)

    recogniser = recognition.recogniser("s", emit, position=position, context=context)
    for piece in pieces:
        await recogniser.feed(piece)
    await recogniser.flush()
    await recogniser.aclose()
    return [replace(event, processing_ms=0) for event in events if isinstance(event, Span)]


async def test_sessions_side_by_side_come_out_as_if_alone() -> None:
    async with open_recognition(SCRIPTED) as recognition:
        alone = await spans_of(recognition, [SPEECH])
        together = await asyncio.gather(
            *(spans_of(recognition, cut(SPEECH, [size] * 400)) for size in (640, 1_600, 7_777))
        )
    assert together == [alone] * 3
    assert [span.reason for span in alone if span.hypothesis] == ["pause", "cut", "pause"]
    assert alone[-1].end == len(SPEECH)


async def test_whisper_finals_are_the_same_in_any_cut_among_others_and_after_a_crash() -> None:
    said = EXACT[:3]
    speech = sound(*(piece for name in said for piece in (clip(name), quiet(16_000))))
    settings = RecognitionSettings(engine="whisper", whisper_model=str(MODEL), device="cpu")
    async with open_recognition(settings) as recognition:
        alone = await spans_of(recognition, [speech])
        checkpoint = next(span for span in alone if span.hypothesis)
        rest = speech[checkpoint.end :]
        cut_small, cut_large, resumed = await asyncio.gather(
            spans_of(recognition, cut(speech, [3_200] * 50)),
            spans_of(recognition, cut(speech, [11_111] * 10)),
            spans_of(recognition, [rest], checkpoint.end, checkpoint.context),
        )
    assert cut_small == cut_large == alone
    assert resumed == alone[alone.index(checkpoint) + 1 :]
    finals = [span.hypothesis for span in alone if span.hypothesis]
    assert len(finals) == len(said)
    wanted = " ".join(transcripts()[name] for name in said)
    assert word_errors(wanted, " ".join(final.text for final in finals)) <= 2
    assert decode_context(alone[-1].context).language == "en"


def test_the_engine_says_what_the_settings_leave_open() -> None:
    rules = rules_for(RecognitionSettings(), FakeEngine())
    assert (rules.pause, rules.max_segment, rules.pad, rules.min_speech) == (
        8_000,
        64_000,
        6_400,
        1_600,
    )
    rules = rules_for(
        RecognitionSettings(pause_seconds=1, max_segment_seconds=99, pad_seconds=0), FakeEngine()
    )
    assert (rules.pause, rules.max_segment, rules.pad) == (16_000, 480_000, 0)


async def test_auto_falls_back_to_the_embedded_engine_and_says_so(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    caplog.set_level(logging.INFO, "steno_transcriber")
    settings = RecognitionSettings(whisper_model="steno/no-such-model", decoder_processes=1)
    async with open_engine(settings) as engine:
        assert engine.name == "pocketsphinx"
    (line,) = caplog.messages
    assert line.startswith(
        "engine pocketsphinx is ready: Whisper model steno/no-such-model is not available ("
    )


async def test_auto_takes_whisper_where_its_model_is(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "steno_transcriber")
    settings = RecognitionSettings(whisper_model=str(MODEL), device="cpu")
    async with open_engine(settings) as engine:
        assert engine.name == "whisper"
    measured, ready = caplog.messages
    assert measured.startswith("whisper: batches of ")
    assert ready == f"engine whisper is ready: model {MODEL}"


async def test_an_engine_that_is_named_but_missing_is_not_replaced() -> None:
    settings = RecognitionSettings(engine="whisper", whisper_model="tinier")
    with pytest.raises(EngineUnavailable):
        async with open_engine(settings):
            pass


async def test_an_engine_whose_library_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "steno_transcriber.engines.scripted", None)
    with pytest.raises(EngineUnavailable, match="engine scripted is not installed"):
        async with open_engine(SCRIPTED):
            pass
