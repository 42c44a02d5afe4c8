"""What Whisper makes of a window hangs on nothing but the window."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.transcriber.reading import read, read_one, speech
from tests.unit.transcriber.sound import clip, loud, transcripts

from steno_transcriber.domain.hypothesis import Options, Window
from steno_transcriber.engines.whisper import WhisperEngine

SPEECH = speech()
EQUAL = [Window(SPEECH[start : start + 35_200]) for start in range(0, 16 * 37_000, 37_000)]
"""Sixteen windows of one length, most of which begin and end in the middle of a word."""


def mixed() -> list[Window]:
    """Sixteen windows of all kinds: lengths, prompts, finals, partials, noise."""
    windows = [Window(clip(name)) for name in list(transcripts())[:9]]
    windows[1] = replace(windows[1], prompt="We saw it in the room on the left, or so he said.")
    windows[2] = replace(windows[2], options=Options(hotwords="Charlie Peter"))
    return [
        *windows,
        replace(windows[3], final=False),
        replace(windows[4], final=False, first=True),
        Window(windows[5].audio[:12_000]),
        Window(windows[6].audio[:7_000], final=False),
        Window(loud(48_000)),
        Window(np.zeros(8_000, np.int16)),
        Window(SPEECH[20_000:120_000], prompt="one two three " * 40),
    ]


@pytest.mark.parametrize(
    ("whisper", "kind"),
    [("fit", "equal"), ("fit", "mixed"), ("full", "mixed")],
    indirect=["whisper"],
)
async def test_alone_and_among_fifteen_others_in_any_order(
    whisper: WhisperEngine, kind: str
) -> None:
    windows = EQUAL if kind == "equal" else mixed()
    alone = [await read_one(whisper, window) for window in windows]
    assert sum(1 for heard in alone if heard.words) >= 10
    assert await read(whisper, windows) == alone
    order = list(range(16))
    random.Random(5).shuffle(order)
    assert await read(whisper, [windows[n] for n in order]) == [alone[n] for n in order]
    assert await read(whisper, windows[3:8]) == alone[3:8]


def test_windows_of_one_length_make_one_batch(fit_whisper: WhisperEngine) -> None:
    assert len({fit_whisper.group(window) for window in EQUAL}) == 1


@settings(
    deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lengths=st.lists(st.integers(1_000, 64_000), min_size=1, max_size=6), final=st.booleans())
async def test_however_its_window_has_grown(
    fit_whisper: WhisperEngine, lengths: list[int], final: bool
) -> None:
    origin = object()
    for length in sorted(lengths):
        await fit_whisper.decode([Window(SPEECH[:length], final=False, origin=origin)])
    # A cut ends a segment before what the last partial has heard.
    for length in (64_000, 48_000):
        grown = Window(SPEECH[:length], final=final, origin=origin)
        fresh = Window(SPEECH[:length], final=final)
        assert await read_one(fit_whisper, grown) == await read_one(fit_whisper, fresh)
