"""What a session is asked for, what is told of it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_common.messages import Ended, Event, Session, Warned
from steno_common.messages import Final as FinalEvent
from steno_transcriber.domain.hypothesis import Options
from steno_transcriber.recogniser import Span
from steno_transcriber.reports import late_report, options_of, span_report, with_change


def session(**asked: Any) -> Session:
    return Session("s", 0, "audio/pcm", **asked)


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (None, None),
        ("", None),
        ("en", "en"),
        ("en-US", "en"),
        ("PT-br", "pt"),
        ("zh-Hant-TW", "zh"),
        ("multi", "multi"),
    ],
)
def test_a_language_is_known_by_its_first_letters(asked: str | None, wanted: str | None) -> None:
    found = options_of(session(language=asked))
    assert found == Options(language=wanted, locale=asked or None)


def test_a_session_that_says_nothing_leaves_everything_open() -> None:
    assert options_of(session()) == Options()


def test_everything_that_a_session_says_of_its_audio_is_asked_for() -> None:
    asked = session(
        language="de-AT",
        task="translate",
        prompt="Grüße.",
        hotwords=("Ada Lovelace", "Steno"),
    )
    assert options_of(asked) == Options(
        language="de",
        task="translate",
        prompt="Grüße.",
        hotwords="Ada Lovelace, Steno",
        locale="de-AT",
    )


@given(st.lists(st.text(st.characters(codec="ascii", exclude_characters=","), min_size=1)))
def test_each_hotword_is_there_in_its_place(hotwords: list[str]) -> None:
    options = options_of(session(hotwords=tuple(hotwords)))
    assert options == replace(Options(), hotwords=options.hotwords)
    assert options.hotwords.split(", ") == (hotwords or [""])


FINAL = FinalEvent("word", (), 0, 100, 1.0, sequence_number=1, commit=1)
LATE = Warned("high_latency", "late")
CHANGED = Warned("engine_changed", "engine aws goes on; nothing is lost", 800, 800)


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ((), (CHANGED,)),
        ((FINAL,), (FINAL, CHANGED)),
        ((FINAL, LATE), (FINAL, CHANGED, LATE)),
        ((Ended(100),), (CHANGED, Ended(100))),
    ],
)
def test_a_change_of_engine_is_told_behind_a_final_and_before_all_else(
    events: tuple[Event, ...], told: tuple[Event, ...]
) -> None:
    assert with_change(events, "aws", 800) == told


SKIPPED = Warned("segment_skipped", "no text for 1.000 s to 2.000 s", 16_000, 32_000)


@pytest.mark.parametrize(
    ("speech_start", "speech_end", "told"),
    [
        (16_000, 32_000, SKIPPED),
        # Nobody has lost a word where nobody spoke.
        (0, 0, None),
    ],
)
def test_a_failure_of_the_engine_is_told_where_somebody_spoke(
    speech_start: int, speech_end: int, told: Warned | None
) -> None:
    span = Span(0, 48_000, speech_start, speech_end, None, "", None, "engine_failed", 48_000, 0)
    assert span_report(span, 3, 1, 0) == told


def test_a_late_final_is_told_with_its_place() -> None:
    span = Span(0, 48_000, 16_000, 32_000, None, "", None, "pause", 48_000, 0)
    assert late_report(span, 4.2) == Warned(
        "high_latency", "text is 4 s behind the audio; nothing is lost", 16_000, 32_000
    )
