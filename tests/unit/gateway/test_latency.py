"""R2, latency: from a chunk that is sent until the first partial with its words is received."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_common.messages import Final, Partial, Word
from steno_gateway.domain.latency import LatencyMeter

CHUNK = 1_600
"""0.1 s."""


def live(chunks: int, *, begin: int = 0) -> LatencyMeter:
    """Give the meter of a client that speaks since 0 ms, chunk n at 100 n ms."""
    meter = LatencyMeter(begin)
    for number in range(1, chunks + 1):
        meter.received(number, 100 * number)
        meter.stored(number, begin + CHUNK * number, CHUNK)
    return meter


def partial(start: int, end: int, *words: tuple[int, int]) -> Partial:
    spoken = tuple(Word("w", *bounds, 1.0) for bounds in words)
    return Partial("w", spoken, start, end, 1.0, 0.5, 1, 0)


def final(start: int, end: int) -> Final:
    return Final("w", (), start, end, 1.0, 1, 1)


def test_a_partial_is_as_late_as_the_oldest_words_it_is_first_to_show() -> None:
    meter = live(20)
    assert meter.last_ms is None
    assert meter.partial(partial(0, 8_000, (0, 8_000)), 900) == 800
    assert meter.partial(partial(0, 16_000, (0, 8_000), (8_000, 16_000)), 1_700) == 1_100
    assert meter.last_ms == 1_100


def test_who_hears_no_partial_for_long_has_waited_however_new_its_last_chunk_is() -> None:
    meter = live(50)
    assert meter.partial(partial(0, 50 * CHUNK, (0, CHUNK)), 5_100) == 5_000


def test_silence_before_the_words_counts_for_nothing() -> None:
    meter = live(50)
    assert meter.partial(partial(45 * CHUNK, 50 * CHUNK), 5_300) == 700
    other = live(50)
    assert other.partial(partial(0, 50 * CHUNK, (45 * CHUNK, 50 * CHUNK)), 5_300) == 700


def test_what_a_final_has_shown_is_not_shown_first_by_a_partial() -> None:
    meter = live(50)
    meter.final(final(0, 40 * CHUNK))
    found = meter.partial(partial(30 * CHUNK, 50 * CHUNK, (30 * CHUNK, 50 * CHUNK)), 5_200)
    assert found == 5_200 - 4_100


def test_a_partial_without_anything_new_has_no_latency() -> None:
    meter = live(20)
    meter.partial(partial(0, 16_000, (0, 16_000)), 1_500)
    assert meter.partial(partial(0, 16_000, (0, 16_000)), 9_000) is None
    assert meter.last_ms == 1_400


def test_of_audio_of_before_the_connection_nothing_is_known() -> None:
    meter = live(20, begin=80_000)
    assert meter.partial(partial(64_000, 88_000, (64_000, 88_000)), 900) is None
    assert meter.partial(partial(64_000, 96_000, (64_000, 96_000)), 1_500) == 900


def test_a_recording_that_is_sent_at_once_is_late_from_when_it_could_be_heard() -> None:
    meter = LatencyMeter()
    for number in range(1, 101):
        meter.received(number, 0)
        meter.stored(number, CHUNK * number, CHUNK)
    # 10 s of audio at once: the last second of it can be heard from 4.5 s on.
    assert meter.partial(partial(90 * CHUNK, 100 * CHUNK), 5_000) == pytest.approx(450)


def test_a_chunk_that_was_refused_by_the_store_and_stored_later_came_when_it_came_first() -> None:
    meter = LatencyMeter()
    meter.received(1, 0)
    meter.received(2, 100)
    meter.stored(2, CHUNK, CHUNK)
    assert meter.partial(partial(0, CHUNK), 400) == 300


def test_audio_that_nothing_comes_of_for_five_seconds_has_stalled() -> None:
    meter = live(30)
    assert not meter.stalled(5_100)
    assert meter.stalled(5_101)


def test_what_is_transcribed_or_shown_has_not_stalled() -> None:
    meter = live(40)
    meter.done(5)
    meter.partial(partial(5 * CHUNK, 10 * CHUNK), 1_500)
    assert not meter.stalled(6_100)
    assert meter.stalled(6_101)
    meter.done(39)
    assert not meter.stalled(99_000)


def test_the_end_of_what_a_client_sent_may_wait_for_its_pause() -> None:
    meter = live(30)
    meter.partial(partial(0, 10 * CHUNK), 1_500)
    assert not meter.stalled(6_000)
    meter.partial(partial(0, 11 * CHUNK), 3_100)
    assert not meter.stalled(99_000)


def test_what_was_heard_has_not_stalled_though_no_word_was_in_it() -> None:
    meter = live(50)
    assert meter.stalled(6_000)
    assert not meter.stalled(6_000, heard=10 * CHUNK)
    assert not meter.stalled(6_100, heard=10 * CHUNK)
    assert meter.stalled(6_101, heard=10 * CHUNK)


def test_what_was_heard_without_a_word_shows_no_words_so_later_ones_are_as_late_as_they_are() -> (
    None
):
    meter = live(50)
    assert not meter.stalled(5_100, heard=50 * CHUNK)
    assert meter.partial(partial(0, 50 * CHUNK, (0, 50 * CHUNK)), 5_100) == 5_000


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30), st.integers(0, 3_000)),
                max_size=40))  # fmt: skip
def test_what_is_transcribed_is_forgotten_and_no_latency_is_negative(
    steps: list[tuple[int, int, int]],
) -> None:
    meter, now, sent, shown = LatencyMeter(), 0, 0, 0
    for more, covered, wait in steps:
        for _ in range(more):
            sent += 1
            meter.received(sent, now)
            meter.stored(sent, CHUNK * sent, CHUNK)
        now += wait
        shown = max(shown, min(sent, shown + covered))
        latency = meter.partial(partial(0, CHUNK * shown), now)
        assert latency is None or 0 <= latency <= now
        meter.done(shown)
        assert len(meter._chunks) == sent - shown
        assert not meter._received
