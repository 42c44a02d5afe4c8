"""R3, "on failure 0.5 / 1.0 / 0.5 and a count": what is only measured harms no session."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from prometheus_client import REGISTRY
from tests.unit.transcriber.sound import loud

from steno_common.measured import Measured, decode_measured, encode_measured
from steno_common.messages import Prosody
from steno_transcriber import measuring
from steno_transcriber.domain.emotion import EmotionMeter
from steno_transcriber.domain.prosody import NEUTRAL, measure
from steno_transcriber.domain.quality import QualityMeter
from steno_transcriber.domain.tally import Outcome
from steno_transcriber.measuring import Measuring, measured_prosody, no_prosody

SECOND = loud(16_000)


def errors(kind: str) -> float:
    found = REGISTRY.get_sample_value("steno_transcriber_measuring_errors_total", {"kind": kind})
    assert found is not None
    return found


def timed() -> float:
    return REGISTRY.get_sample_value("steno_transcriber_emotion_seconds_count") or 0.0


@pytest.fixture
def breaks(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Callable[..., None]:
    caplog.set_level(logging.CRITICAL, measuring.__name__)

    def fault(*_args: Any) -> None:
        raise FloatingPointError

    return lambda owner, name: monkeypatch.setattr(owner, name, fault)


def test_the_newest_values_go_with_the_next_commit() -> None:
    meter = Measuring("s", 0, b"", worker="w")
    meter.hear(SECOND)
    prosody = meter.emotion()
    assert prosody is not None
    assert decode_measured(meter.encoded(1_234)) == Measured(1_234, "w", prosody)


def test_a_claim_goes_on_where_the_one_before_left_off() -> None:
    before = Measured(7, "old", NEUTRAL, 0.5, 3, 0.9, 1.5, 2, 1)
    meter = Measuring("s", 0, encode_measured(before), worker="new")
    meter.hear(np.concatenate((SECOND, SECOND)))
    meter.finished(Outcome(engine_seconds=0.5))
    after = decode_measured(meter.encoded(9))
    assert (after.worker, after.words, after.confidence) == ("new", 3, 0.9)
    assert (after.engine_seconds, after.lost_chunks, after.failures) == (2.0, 2, 1)
    assert after.quality == pytest.approx(0.0, abs=0.05)  # noise


def test_switched_off_nothing_is_measured_of_the_emotion(breaks: Callable[..., None]) -> None:
    breaks(EmotionMeter, "feed")
    breaks(EmotionMeter, "latest")
    count, times = errors("emotion"), timed()
    meter = Measuring("s", 0, b"", worker="w", emotion=False)
    meter.hear(SECOND)
    assert meter.emotion() is None
    assert decode_measured(meter.encoded(1)).prosody is None
    assert not meter.emotion_known
    assert no_prosody(SECOND) is None
    assert (errors("emotion"), timed()) == (count, times)


@pytest.mark.parametrize("broken", ["feed", "latest"])
def test_a_fault_in_the_newest_values_is_counted_and_gives_neutral_ones_or_the_last(
    broken: str, breaks: Callable[..., None]
) -> None:
    breaks(EmotionMeter, broken)
    count = errors("emotion")
    meter = Measuring("s", 0, b"", worker="w")
    meter.hear(SECOND)
    assert meter.emotion() == (NEUTRAL if broken == "latest" else None)
    assert errors("emotion") == count + 1
    assert meter.emotion_known is (broken == "latest")


def test_a_fault_in_a_segment_is_counted_and_gives_neutral_values(
    breaks: Callable[..., None],
) -> None:
    breaks(measuring, "measure")
    count = errors("emotion")
    assert measured_prosody(SECOND) == Prosody(0.5, 1.0, 0.5)
    assert errors("emotion") == count + 1


@pytest.mark.parametrize("broken", ["feed", "latest"])
def test_a_fault_in_the_quality_is_counted_and_leaves_it_open(
    broken: str, breaks: Callable[..., None]
) -> None:
    breaks(QualityMeter, broken)
    count = errors("quality")
    meter = Measuring("s", 0, b"", worker="w")
    meter.hear(SECOND)
    meter.finished(Outcome(engine_seconds=1.0))
    after = decode_measured(meter.encoded(1))
    assert (after.quality, after.engine_seconds) == (None, 1.0)
    assert errors("quality") == count + 1


def test_of_a_session_each_kind_of_fault_is_told_once_and_counted_every_time(
    breaks: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    breaks(EmotionMeter, "feed")
    breaks(QualityMeter, "feed")
    caplog.set_level(logging.ERROR, measuring.__name__)
    count = errors("emotion")
    meter = Measuring("s", 0, b"", worker="w")
    for _ in range(5):
        meter.hear(SECOND)
    assert errors("emotion") == count + 5
    assert [record.__dict__["reason"] for record in caplog.records] == ["emotion", "quality"]
    assert all(record.exc_info for record in caplog.records)


def test_each_look_is_timed() -> None:
    before = timed()
    assert measured_prosody(SECOND) == measure(SECOND)
    assert timed() == before + 1
