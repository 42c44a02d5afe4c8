"""Segments: borders follow from the samples alone."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.transcriber.sound import (
    RULES,
    ForgetfulDetector,
    cut,
    loud,
    quiet,
    sound,
    sounds,
)

from steno_transcriber.domain.samples import Samples
from steno_transcriber.domain.scan import FRAME
from steno_transcriber.domain.segmenter import OpenSpeech, Rules, Segment, Segmenter

Facts = tuple[int, int, int, int, int, bytes, str]


def facts(segment: Segment) -> Facts:
    return (
        segment.start,
        segment.end,
        segment.speech_start,
        segment.speech_end,
        segment.audio_start,
        segment.audio.tobytes(),
        segment.reason,
    )


def segmented(samples: Samples, position: int = 0, rules: Rules = RULES) -> list[Segment]:
    segmenter = Segmenter(position, rules, ForgetfulDetector)
    return segmenter.feed(samples) + segmenter.flush()


@settings(deadline=None)
@given(sounds(), st.integers(0, 100_000))
def test_segments_tile_the_audio_without_a_hole(samples: Samples, position: int) -> None:
    segments = segmented(samples, position)
    assert sum(segment.end - segment.start for segment in segments) == len(samples)
    assert all(before.end == after.start for before, after in pairwise(segments))
    assert not segments or segments[0].start == position
    assert all(segment.end > segment.start for segment in segments)


@settings(deadline=None)
@given(sounds())
def test_what_is_decoded_is_the_audio_at_its_position(samples: Samples) -> None:
    for segment in segmented(samples):
        at = segment.audio_start
        assert np.array_equal(segment.audio, samples[at : at + len(segment.audio)])
        assert segment.start <= at <= at + len(segment.audio) <= segment.end
        if len(segment.audio):
            assert at <= segment.speech_start < segment.speech_end <= at + len(segment.audio)
        else:
            assert segment.speech_start == segment.speech_end == segment.start


@settings(deadline=None)
@given(sounds(), st.lists(st.integers(0, 30_000), max_size=40))
def test_however_the_audio_is_cut_the_segments_are_the_same(
    samples: Samples, sizes: list[int]
) -> None:
    segmenter, segments, received = Segmenter(0, RULES, ForgetfulDetector), [], 0
    for piece in cut(samples, sizes):
        segments += segmenter.feed(piece)
        received += len(piece)
        assert segmenter.offset + segmenter.buffered == received == segmenter.received
    segments += segmenter.flush()
    assert segmenter.buffered == 0
    assert [facts(s) for s in segments] == [facts(s) for s in segmented(samples)]


@settings(deadline=None)
@given(sounds(), st.data())
def test_a_restart_at_any_border_goes_on_as_if_nothing_had_happened(
    samples: Samples, data: st.DataObject
) -> None:
    whole = segmented(samples)
    if not whole:
        return
    index = data.draw(st.integers(0, len(whole) - 1))
    border = whole[index].end
    assert [facts(s) for s in segmented(samples[border:], border)] == [
        facts(s) for s in whole[index + 1 :]
    ]


@settings(deadline=None)
@given(sounds())
def test_no_window_is_longer_than_the_limit_and_nothing_waits_for_ever(samples: Samples) -> None:
    segmenter = Segmenter(0, RULES, ForgetfulDetector)
    most = 22_528 + RULES.max_segment + RULES.pause
    for piece in cut(samples, [997] * 200):
        for segment in segmenter.feed(piece):
            assert len(segment.audio) <= RULES.max_segment
        assert segmenter.buffered <= most + 997
    assert all(len(segment.audio) <= RULES.max_segment for segment in segmenter.flush())


@settings(deadline=None)
@given(sounds())
def test_the_open_speech_is_a_beginning_of_what_is_decoded_at_last(samples: Samples) -> None:
    segmenter = Segmenter(0, RULES, ForgetfulDetector)
    seen: list[OpenSpeech] = []
    for piece in cut(samples, [1_600] * 100):
        for segment in [*segmenter.feed(piece)]:
            if segment.reason == "pause" and len(segment.audio):
                for speech in seen:
                    assert speech.audio_start == segment.audio_start
                    assert speech.speech_start == segment.speech_start
                    assert len(speech.audio) <= len(segment.audio)
            seen.clear()
        if (open_speech := segmenter.open_speech()) is not None:
            seen.append(open_speech)


def test_speech_ends_at_a_pause_and_leaves_half_of_it_to_the_next_segment() -> None:
    samples = sound(quiet(16_000), loud(32_000), quiet(16_000))
    speech, rest = segmented(samples)
    assert (speech.reason, speech.start, speech.speech_start) == ("pause", 0, 15_872)
    assert 48_000 <= speech.speech_end <= 48_000 + 3 * FRAME
    assert speech.audio_start == 15_872 - RULES.pad
    assert speech.audio_start + len(speech.audio) == speech.speech_end + 3_200
    assert speech.end - speech.speech_end >= RULES.pause - RULES.lead
    assert (rest.reason, rest.start, rest.end) == ("flush", speech.end, 64_000)
    assert len(rest.audio) == 0


def test_silence_is_released_about_a_second_at_a_time_with_its_pad_kept() -> None:
    segmenter = Segmenter(0, RULES, ForgetfulDetector)
    segments = segmenter.feed(quiet(50_000))
    assert [(s.reason, s.start, s.end) for s in segments] == [
        ("silence", 0, 16_256),
        ("silence", 16_256, 32_512),
    ]
    assert segmenter.buffered == 50_000 - 32_512


def test_speech_without_a_pause_is_cut_where_it_is_most_silent() -> None:
    samples = loud(80_000)
    samples[55_000:56_500] //= 64
    first, _ = segmented(samples)
    assert first.reason == "cut"
    assert 55_000 <= first.end <= 56_500
    assert (first.speech_end, len(first.audio)) == (first.end, first.end)


def test_a_flush_keeps_the_words_of_an_open_segment() -> None:
    (segment,) = segmented(loud(20_001))
    assert (segment.reason, segment.start, segment.end) == ("flush", 0, 20_001)
    assert (segment.speech_start, segment.speech_end, len(segment.audio)) == (0, 20_001, 20_001)


def test_a_flush_of_nothing_gives_nothing() -> None:
    assert Segmenter(7, RULES, ForgetfulDetector).flush() == []


def test_less_than_a_frame_is_silence_of_its_own() -> None:
    (segment,) = segmented(loud(500))
    assert (segment.start, segment.end, len(segment.audio), segment.reason) == (0, 500, 0, "flush")


def test_a_click_is_not_decoded() -> None:
    segments = segmented(sound(quiet(20_000), loud(700), quiet(30_000)))
    assert all(len(segment.audio) == 0 for segment in segments)
    assert "pause" in {segment.reason for segment in segments}


def test_a_word_right_after_a_pause_keeps_its_onset() -> None:
    first_end = segmented(sound(loud(32_000), quiet(9_000)))[0].speech_end
    samples = sound(loud(32_000), quiet(9_216 + first_end - 32_000), loud(16_000, 5), quiet(16_000))
    first, second, *_ = segmented(samples)
    assert second.speech_start - second.audio_start >= 2 * FRAME
    assert first.end == second.start


@pytest.mark.parametrize(
    "wrong", [{"pause": 100}, {"max_segment": 1_000}, {"pad": 40_000}, {"pad": -1}]
)
def test_rules_that_cannot_work_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"at least|at most"):
        Rules(**{"pause": 8_000, "max_segment": 64_000, **wrong})


def test_a_segment_names_the_last_sample_that_its_end_took() -> None:
    segmenter = Segmenter(0, RULES, ForgetfulDetector)
    spoken = segmenter.feed(sound(quiet(3_200), loud(16_000), quiet(24_000)))[0]
    assert spoken.reason == "pause"
    assert spoken.decided == spoken.end + RULES.lead
    rest = segmenter.flush()
    assert [(each.reason, each.decided) for each in rest] == [("flush", rest[-1].end)]
