"""What a gateway knows of the transcribers behind it."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from steno_common.lifecycle import Lifecycle
from steno_common.measured import Report
from steno_gateway.status import StatusBoard

THERE = Report(3, 3, strained=False)
AWAY = Report(0, 0, strained=False, away=True)


@pytest.mark.parametrize(
    ("reports", "transcribers", "ready"),
    [
        ({}, 0, False),
        ({"a": THERE, "b": AWAY, "c": THERE}, 2, True),
        ({"a": AWAY, "b": AWAY}, 0, False),
    ],
)
async def test_a_transcriber_whose_engine_is_away_recognises_nothing_at_once(
    reports: Mapping[str, Report], transcribers: int, ready: bool
) -> None:
    class Workers:
        async def present(self) -> Mapping[str, Report]:
            return reports

    admission: Any = SimpleNamespace(sessions=0)
    workers: Any = Workers()
    state = await StatusBoard(Lifecycle(), admission, workers).now()
    assert (state.transcribers, state.engine_ready) == (transcribers, ready)
