"""What a session was created with is what its recognition is asked for."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_common.messages import Ended, Event, Session, Warned
from steno_common.messages import Final as FinalEvent
from steno_transcriber.domain.hypothesis import Options
from steno_transcriber.reports import options_of, with_change


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
CHANGED = Warned("engine_changed", "engine aws goes on; nothing is lost")


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
    assert with_change(events, "aws") == told
