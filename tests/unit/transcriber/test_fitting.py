"""Silence and prompt that a Whisper window gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_transcriber.domain.fitting import PROMPT_LENGTHS, Fit, prompt_length, token_limit

fits = st.builds(
    Fit, st.just("fit"), padding=st.integers(0, 500), step=st.sampled_from([1, 50, 100, 250, 500])
)
samples = st.integers(0, 480_000)


@given(fits, samples)
def test_a_padded_length_holds_the_audio_and_its_padding(fit: Fit, samples: int) -> None:
    frames = fit.frames(samples)
    assert frames % fit.step == 0
    assert frames <= 3_000
    wanted = samples / 160 + fit.padding
    assert frames >= min(wanted, 3_000)
    assert frames < wanted + 1 + fit.step


@given(fits, samples, samples)
def test_longer_audio_is_never_padded_to_less(fit: Fit, one: int, other: int) -> None:
    assert fit.frames(min(one, other)) <= fit.frames(max(one, other))


@given(fits, samples)
def test_full_is_the_length_of_the_training(fit: Fit, samples: int) -> None:
    assert fit.frames(samples, full=True) == 3_000
    assert Fit("full", fit.padding, fit.step).frames(samples) == 3_000


@pytest.mark.parametrize(
    ("samples", "frames"), [(0, 300), (6_400, 300), (6_401, 400), (16_000, 400), (480_000, 3_000)]
)
def test_by_default_lengths_are_whole_seconds_with_two_and_a_half_of_silence(
    samples: int, frames: int
) -> None:
    assert Fit().frames(samples) == frames


@given(st.integers(0, 255))
def test_of_a_prompt_at_least_half_is_kept(tokens: int) -> None:
    assert tokens / 2 <= prompt_length(tokens) <= tokens


def test_prompts_come_in_few_lengths() -> None:
    assert {prompt_length(tokens) for tokens in range(1_000)} == set(PROMPT_LENGTHS)
    assert len(PROMPT_LENGTHS) < 10


@given(st.integers(1, 3_000), st.integers(1, 448))
def test_a_text_is_bounded_by_the_length_of_its_window(frames: int, most: int) -> None:
    limit = token_limit(frames, most)
    assert 1 <= limit <= most
    assert limit <= token_limit(frames + 1, most)
    # Fast speech has about seven tokens a second.
    assert limit >= min(most, 7 * frames // 100)


def test_a_loop_in_a_short_window_is_stopped_early() -> None:
    assert token_limit(300, 224) == 106
    assert token_limit(3_000, 224) == 224
