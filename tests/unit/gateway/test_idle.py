"""A client is silent when it could send and does not, for as many ticks as are allowed."""

from hypothesis import given
from hypothesis import strategies as st

from steno_gateway.domain.idle import IdleWatch


def ticks(watch: IdleWatch, count: int, *, can_send: bool = True) -> list[bool]:
    return [watch.tick(can_send=can_send) for _ in range(count)]


def test_silence_is_told_once_after_the_ticks_allowed() -> None:
    watch = IdleWatch(3)
    watch.audio()
    assert ticks(watch, 6) == [False, False, True, False, False, False]


def test_audio_begins_the_count_anew() -> None:
    watch = IdleWatch(3)
    watch.audio()
    ticks(watch, 2)
    watch.audio()
    assert ticks(watch, 3) == [False, False, True]


def test_after_audio_silence_is_told_again() -> None:
    watch = IdleWatch(2)
    watch.audio()
    assert ticks(watch, 2) == [False, True]
    watch.audio()
    assert ticks(watch, 2) == [False, True]


def test_a_client_that_never_sent_audio_is_not_silent() -> None:
    assert ticks(IdleWatch(1), 5) == [False] * 5


def test_a_client_without_credit_is_not_silent() -> None:
    watch = IdleWatch(3)
    watch.audio()
    ticks(watch, 2)
    assert ticks(watch, 5, can_send=False) == [False] * 5
    assert ticks(watch, 3) == [False, False, True]


@given(st.integers(1, 6), st.lists(st.sampled_from(["audio", "tick", "stuck"]), max_size=60))
def test_silence_is_told_exactly_after_a_run_of_free_ticks_behind_audio(
    allowed: int, steps: list[str]
) -> None:
    watch = IdleWatch(allowed)
    run, heard = 0, False
    for step in steps:
        if step == "audio":
            watch.audio()
            run, heard = 0, True
            continue
        told = watch.tick(can_send=step == "tick")
        run = run + 1 if step == "tick" and heard else 0
        assert told == (heard and run == allowed)
        if told:
            run, heard = 0, False
