"""A window whose words pass no check is read again, in another way."""

import math
from dataclasses import replace

import pytest
from tests.unit.transcriber.reading import Listener, decoder_of, read_one
from tests.unit.transcriber.sound import EXACT, clip, loud, transcripts

from steno_common.messages import Word
from steno_transcriber.domain import guards
from steno_transcriber.domain.fitting import Fit
from steno_transcriber.domain.guards import LADDER, Attempt, Verdict
from steno_transcriber.domain.hypothesis import Again, Hypothesis, Window
from steno_transcriber.engines.whisper import PADDED_STEP, WhisperEngine
from steno_transcriber.engines.whisper_answers import Row, Tried, judged
from steno_transcriber.engines.whisper_decoding import Group

NAME = EXACT[1]
WINDOW = Window(clip(NAME), prompt="Turn on the light in the kitchen, please, at seven.")

GOOD = Attempt("So we go.", -0.2, 0.0, 32_000)
UNLIKELY = Attempt("So they go.", -1.2, 0.0, 32_000)
LOOP = Attempt("so it goes " * 20, -0.1, 0.0, 480_000)
SILENT = Attempt("Thanks.", -1.5, 0.9, 32_000)
SAID = (Word("said", 0, 10, 0.5), Word("so", 10, 20, 0.9))


@pytest.fixture
def listener(fit_whisper: WhisperEngine, monkeypatch: pytest.MonkeyPatch) -> Listener:
    model = decoder_of(fit_whisper)._model
    listener = Listener(model.model)
    monkeypatch.setattr(model, "model", listener)
    return listener


def accept_after(monkeypatch: pytest.MonkeyPatch, attempts: int) -> None:
    seen: list[Attempt] = []

    def judge(attempt: Attempt) -> Verdict:
        seen.append(attempt)
        return Verdict.ACCEPT if len(seen) > attempts else Verdict.RETRY

    monkeypatch.setattr(guards, "judge", judge)


def test_finals_are_searched_widely_and_partials_quickly(fit_whisper: WhisperEngine) -> None:
    decoder = decoder_of(fit_whisper)
    prompt = len(decoder.prompts.before(WINDOW))
    frames = Fit(step=PADDED_STEP["cpu"]).frames(len(WINDOW.audio))
    assert prompt > 0
    assert decoder.group(WINDOW) == Group(frames, prompt, LADDER[0], beams=5)
    assert decoder.group(replace(WINDOW, final=False)) == Group(frames, 0, LADDER[0], beams=1)
    for tries in (1, 2):
        again = replace(WINDOW, tried=("once",) * tries)
        assert decoder.group(again) == Group(3_000, 0, LADDER[tries], beams=5)


async def test_the_second_reading_is_that_of_the_full_length_without_a_prompt(
    fit_whisper: WhisperEngine,
    full_whisper: WhisperEngine,
    listener: Listener,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    accept_after(monkeypatch, 1)
    heard = await read_one(fit_whisper, WINDOW)
    fitted, full = listener.frames
    assert (fitted < 700, full) == (True, 3_000)
    prompted, plain = listener.prompts
    assert len(prompted) > len(plain) == 1
    monkeypatch.undo()
    assert heard == await read_one(full_whisper, replace(WINDOW, prompt=""))
    assert heard.trusted


async def test_three_readings_that_fail_give_the_likeliest_untrusted(
    fit_whisper: WhisperEngine, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guards, "MIN_LOG_PROBABILITY", 0.0)
    heard = await read_one(fit_whisper, WINDOW)
    assert listener.frames[1:] == [3_000, 3_000]
    assert len(listener.frames) == 3
    assert heard.text == transcripts()[NAME]
    assert not heard.trusted


async def test_a_partial_is_read_once(
    fit_whisper: WhisperEngine, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guards, "MIN_LOG_PROBABILITY", 0.0)
    (heard,) = await fit_whisper.decode([replace(WINDOW, final=False)])
    assert isinstance(heard, Hypothesis)
    assert (heard.trusted, len(listener.frames)) == (False, 1)


async def test_how_likely_a_text_is_counts_its_end_too(
    fit_whisper: WhisperEngine, listener: Listener
) -> None:
    (heard,) = await fit_whisper.decode([Window(WINDOW.audio[:16_000], final=False)])
    assert isinstance(heard, Hypothesis)
    (answer,) = listener.answers
    tokens = len(answer.sequences_ids[0])
    mean = answer.scores[0] * tokens / (tokens + 1)
    assert heard.confidence == pytest.approx(math.exp(mean), abs=0.001)
    assert heard.confidence != pytest.approx(math.exp(answer.scores[0]), abs=0.001)


def row(*tried: Attempt, final: bool = True) -> Row:
    before = tuple(Tried(each, Hypothesis(each.text, SAID)) for each in tried)
    return Row(Window(loud(100), tried=before, final=final), (), "de", 0.7)


def test_accepted_words_are_the_answer() -> None:
    assert judged(row(UNLIKELY), GOOD, SAID) == Hypothesis(
        "So we go.", SAID, "de", language_probability=0.7, confidence=0.7
    )


def test_rejected_words_are_kept_for_a_comparison_with_the_next() -> None:
    asked = row(LOOP)
    again = judged(asked, UNLIKELY, SAID)
    assert isinstance(again, Again)
    assert again.window.audio is asked.window.audio
    assert [each.attempt for each in again.window.tried] == [LOOP, UNLIKELY]


def test_the_last_attempt_settles_it_with_the_best_of_all() -> None:
    heard = judged(row(UNLIKELY, LOOP), replace(UNLIKELY, log_probability=-1.4), SAID)
    assert heard == Hypothesis("So they go.", SAID, trusted=False)
    assert judged(row(LOOP, LOOP), LOOP, SAID) == Hypothesis(
        language="de", language_probability=0.7, trusted=False
    )


def test_silence_has_no_words_and_needs_no_other_attempt() -> None:
    assert judged(row(), SILENT, SAID) == Hypothesis(language="de", language_probability=0.7)


def test_a_partial_is_not_worth_another_attempt() -> None:
    heard = judged(row(final=False), UNLIKELY, SAID)
    assert isinstance(heard, Hypothesis)
    assert (heard.text, heard.trusted) == ("So they go.", False)
    assert judged(row(final=False), LOOP, SAID) == Hypothesis(
        language="de", language_probability=0.7, trusted=False
    )
