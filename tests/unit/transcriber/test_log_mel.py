"""Spectrograms of windows that grow."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.unit.transcriber.sound import loud, quiet, sound

from steno_transcriber.domain.samples import Samples
from steno_transcriber.engines.log_mel import BLOCK, Frames, LogMel, MelCache

EXTRACTOR = FeatureExtractor()
TRANSFORM = LogMel.of(EXTRACTOR)
SPEECH = sound(quiet(8_000), loud(60_000, 3) // 3, quiet(3_000), loud(60_000, 4), quiet(9_000))

KEPT = (len(SPEECH) // (160 * BLOCK) + 1) * BLOCK
"""Frames that it counts for in a cache."""

lengths = st.lists(st.integers(0, len(SPEECH)), min_size=1, max_size=8)


@dataclass(frozen=True, slots=True)
class Watched(LogMel):
    """Says how many blocks it is about to compute."""

    watch: Callable[[int], None]

    def decades(self, samples: NDArray[np.float32], blocks: int) -> Frames:
        self.watch(blocks)
        return LogMel.decades(self, samples, blocks)


def watched(watch: Callable[[int], None], remembered: int = 10_000) -> MelCache:
    return MelCache(Watched(TRANSFORM.fft, TRANSFORM.window, TRANSFORM.filters, watch), remembered)


def fresh(audio: Samples, frames: int = 1_200) -> NDArray[np.float32]:
    return MelCache(TRANSFORM).features(audio, None, frames)


@pytest.mark.parametrize("bands", [80, 128])
def test_away_from_the_edges_frames_are_those_of_the_reference(bands: int) -> None:
    extractor = FeatureExtractor(feature_size=bands)
    reference = extractor(SPEECH.astype(np.float32) / 32_768)
    ours = MelCache(LogMel.of(extractor)).features(SPEECH, None, 1_200)
    inside = slice(2, len(SPEECH) // 160 - 2)
    assert ours.shape == (bands, 1_200)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours[:, inside], reference[:, inside], atol=1e-4)


def test_behind_the_audio_there_are_zeros() -> None:
    features = fresh(SPEECH[:16_050], 300)
    assert features[:, :100].all(axis=0).any()
    assert not features[:, 100:].any()


def test_a_window_without_one_whole_frame_is_all_zeros() -> None:
    assert not fresh(SPEECH[:159], 100).any()
    assert not fresh(SPEECH[:0], 100).any()


def test_a_window_longer_than_asked_for_is_cut() -> None:
    assert fresh(SPEECH, 100).shape == (80, 100)


def test_a_model_with_other_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="320 samples"):
        LogMel.of(FeatureExtractor(hop_length=320))


@settings(deadline=None, max_examples=60)
@given(lengths)
def test_what_was_computed_before_changes_no_bit(lengths: list[int]) -> None:
    cache, origin = MelCache(TRANSFORM), object()
    for length in [*sorted(lengths), *lengths]:
        audio = SPEECH[:length]
        assert np.array_equal(cache.features(audio, origin, 1_200), fresh(audio))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 50_000)), max_size=12))
def test_windows_of_other_origins_change_no_bit(steps: list[tuple[int, int]]) -> None:
    cache = MelCache(TRANSFORM, remembered=1_000)
    for place, length in steps:
        audio = SPEECH[place * 20_000 :][:length]
        assert np.array_equal(cache.features(audio, ("session", place), 600), fresh(audio, 600))


def test_each_block_of_a_growing_window_is_computed_once() -> None:
    computed: list[int] = []
    cache, origin = watched(computed.append), object()
    for length in range(8_000, len(SPEECH), 8_000):
        cache.features(SPEECH[:length], origin, 1_200)
    tails = len(range(8_000, len(SPEECH), 8_000))
    assert sum(computed) <= len(SPEECH) // (160 * BLOCK) + tails


def test_the_windows_forgotten_first_are_those_that_grew_longest_ago() -> None:
    computed: list[int] = []
    cache = watched(computed.append, remembered=2 * KEPT)
    for origin in ("a", "b", "a", "c"):
        cache.features(SPEECH, origin, 1_200)
    computed.clear()
    cache.features(SPEECH, "a", 1_200)
    assert computed == [1]
    cache.features(SPEECH, "b", 1_200)
    assert computed == [1, len(SPEECH) // (160 * BLOCK), 1]


def test_windows_without_an_origin_are_not_remembered() -> None:
    computed: list[int] = []
    cache = watched(computed.append)
    cache.features(SPEECH, None, 1_200)
    first = list(computed)
    cache.features(SPEECH, None, 1_200)
    assert computed == first * 2


def test_a_window_that_is_still_at_work_does_not_hear_what_a_longer_one_heard() -> None:
    halted, go_on = threading.Event(), threading.Event()

    def watch(blocks: int) -> None:
        if threading.current_thread() is not threading.main_thread() and blocks == 1:
            halted.set()
            assert go_on.wait(60)

    cache, origin = watched(watch), object()
    with ThreadPoolExecutor(1) as executor:
        short = executor.submit(cache.features, SPEECH[:29_920], origin, 1_200)
        assert halted.wait(60)
        assert np.array_equal(cache.features(SPEECH, origin, 1_200), fresh(SPEECH))
        go_on.set()
        assert np.array_equal(short.result(10), fresh(SPEECH[:29_920]))


def test_two_threads_get_what_one_would() -> None:
    cache, together = MelCache(TRANSFORM, remembered=1_000), threading.Barrier(2)

    def grow(start: int) -> bool:
        together.wait(60)
        return all(
            np.array_equal(
                cache.features(SPEECH[begin : begin + length], begin, 600),
                fresh(SPEECH[begin : begin + length], 600),
            )
            for length in range(1_000, 60_000, 2_900)
            for begin in (0, start)
        )

    with ThreadPoolExecutor(2) as executor:
        assert all(executor.map(grow, (16_000, 32_000)))
