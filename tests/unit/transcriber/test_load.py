"""The load meter: one observation, told to the metrics as to the rules."""

from unittest.mock import patch

import pytest
from prometheus_client import REGISTRY

from steno_transcriber.domain.capacity import Engine
from steno_transcriber.load import LoadMeter


def test_an_observation_is_counted_as_a_metric_and_as_load() -> None:
    name = "steno_transcriber_batch_seconds_count"
    before = REGISTRY.get_sample_value(name) or 0.0
    with patch("time.monotonic", lambda: now):
        now = 100.0
        meter = LoadMeter(Engine(places=2))
        meter.look(settled=3, fresh=2, lag=0.0)
        now = 105.0
        meter.observe("batch_seconds", 0.5)
        meter.observe("final_seconds", 2.0)
        meter.hear(16_000 * 20)
        load = meter.look(settled=5, fresh=0, lag=1.5)
    assert REGISTRY.get_sample_value(name) == before + 1
    # In these 5 s, 3 sessions and 2 that count half cost 2 s.
    assert load.session_cost == load.final_cost == pytest.approx(2 / (5 * 4))
    assert (load.sessions, load.places, load.lag) == (5, 2, 1.5)
    assert load.realtime_factor == pytest.approx(0.1)
