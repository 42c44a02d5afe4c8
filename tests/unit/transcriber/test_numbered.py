"""Numbers in audio come back as they were written, or visibly broken."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steno_transcriber.domain.hypothesis import Window
from steno_transcriber.domain.samples import Samples
from steno_transcriber.domain.segmenter import Rules, Segmenter
from steno_transcriber.engines.numbered import spoken
from steno_transcriber.engines.numbers import (
    CELLS,
    GAP,
    LARGEST,
    WORD,
    Burst,
    phrase,
    read,
    silence,
    word,
)
from steno_transcriber.recognition import open_recognition
from steno_transcriber.settings import RecognitionSettings
from steno_transcriber.speech import start_loudness

NUMBERS = st.lists(st.integers(0, LARGEST), max_size=12)


def text(audio: Samples) -> str:
    return spoken(Window(audio)).text


@given(NUMBERS)
def test_what_is_written_is_read_with_its_bounds(numbers: list[int]) -> None:
    assert read(phrase(numbers)) == [
        Burst(number, place * (WORD + GAP), place * (WORD + GAP) + WORD)
        for place, number in enumerate(numbers)
    ]


@settings(deadline=None)
@given(st.data(), st.lists(st.integers(0, LARGEST), min_size=1, max_size=8))
def test_windows_cut_at_gaps_hold_the_same_words(data: st.DataObject, numbers: list[int]) -> None:
    audio = phrase(numbers)
    inside = st.integers(WORD, WORD + GAP)
    places = data.draw(st.lists(st.integers(0, len(numbers) - 1), unique=True).map(sorted))
    cuts = [0, *(place * (WORD + GAP) + data.draw(inside) for place in places), len(audio)]
    windows = [audio[a:b] for a, b in pairwise(cuts)]
    assert " ".join(filter(None, map(text, windows))) == " ".join(map(str, numbers))


@given(st.integers(0, LARGEST), st.integers(1, WORD - 1))
def test_a_word_cut_in_two_is_two_broken_words(number: int, place: int) -> None:
    whole = word(number)
    assert text(whole[:place]) == text(whole[place:]) == "?"


@given(st.integers(0, LARGEST), st.integers(0, WORD - 1))
def test_a_lost_or_doubled_sample_breaks_its_word_alone(number: int, place: int) -> None:
    audio = phrase([number, 7])
    assert text(np.delete(audio, place)) == "? 7"
    assert text(np.insert(audio, place, audio[place])) == "? 7"


@given(
    st.integers(0, LARGEST),
    st.lists(st.integers(0, CELLS - 1), min_size=1, max_size=3, unique=True),
)
def test_up_to_three_wrong_bits_never_make_another_number(number: int, wrong: list[int]) -> None:
    cells = word(number).reshape(CELLS, -1)
    cells[wrong] *= -1
    assert text(cells.reshape(-1)) == "?"


@settings(deadline=None)
@given(
    phrases=st.lists(st.tuples(st.integers(1, 30), st.integers(0, 80_000)), max_size=5),
    sizes=st.lists(st.integers(1, 20_000), max_size=20),
)
def test_no_border_falls_into_a_word(phrases: list[tuple[int, int]], sizes: Sequence[int]) -> None:
    numbers, pieces = iter(range(1, LARGEST)), [silence(0)]
    for words, pause in phrases:
        pieces += [phrase([next(numbers) for _ in range(words)]), silence(pause)]
    audio = np.concatenate([*pieces, silence(8_000)])
    rules = Rules(pause=8_000, max_segment=64_000, pad=6_400, min_speech=1_600)
    segmenter, closed, place = Segmenter(0, rules, start_loudness), [], 0
    for size in (*sizes, len(audio)):
        closed += segmenter.feed(audio[place : place + size])
        place += size
    closed += segmenter.flush()
    said = " ".join(filter(None, (text(segment.audio) for segment in closed)))
    assert said == " ".join(str(n) for n in range(1, next(numbers)))


def test_silence_holds_no_words() -> None:
    assert text(silence(16_000)) == ""


def test_a_number_beyond_the_largest_is_refused() -> None:
    with pytest.raises(ValueError, match="from 0 to 16777215"):
        word(LARGEST + 1)


async def test_the_settings_choose_the_engine_with_the_detector_of_loudness() -> None:
    async with open_recognition(RecognitionSettings(engine="numbered")) as recognition:
        assert recognition.engine_name == "numbered"
        assert recognition.rules is not None
        assert recognition.rules.pause == 8_000
