"""What the spans of a session add up to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_common.measured import Measured
from steno_common.messages import Word
from steno_transcriber.domain.hypothesis import Hypothesis
from steno_transcriber.domain.tally import Outcome, after


def said(words: int, confidence: float) -> Hypothesis:
    return Hypothesis("w", (Word("w", 0, 1, confidence),) * words, confidence=confidence)


@given(st.lists(st.tuples(st.integers(1, 40), st.floats(0, 1)), min_size=1, max_size=20))
def test_confidence_is_the_mean_of_all_words(finals: list[tuple[int, float]]) -> None:
    held = Measured()
    for words, confidence in finals:
        held = after(held, Outcome(said(words, confidence)))
    whole = sum(words for words, _ in finals)
    mean = sum(words * confidence for words, confidence in finals) / whole
    assert held.words == whole
    assert held.confidence == pytest.approx(mean)


def test_spans_without_words_leave_the_confidence_as_it_was() -> None:
    held = after(Measured(), Outcome(said(2, 0.8)))
    assert after(after(held, Outcome()), Outcome(Hypothesis())) == held


def test_engine_time_and_lost_chunks_are_summed_up_and_each_loss_is_one_failure() -> None:
    held = Measured(worker="w", quality=0.5)
    for outcome in (Outcome(engine_seconds=0.25), Outcome(lost_chunks=3, engine_seconds=0.5),
                    Outcome(lost_chunks=1)):  # fmt: skip
        held = after(held, outcome)
    assert held == Measured(worker="w", quality=0.5, engine_seconds=0.75, lost_chunks=4, failures=2)
