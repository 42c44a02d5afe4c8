"""What a gateway knows of the transcribers behind it; clients are told of a trouble once."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import aclosing
from typing import Any, cast

import pytest

from steno_common.errors import StoreUnavailableError
from steno_common.lifecycle import Lifecycle
from steno_common.measured import Report
from steno_common.store.workers import WorkerStore
from steno_gateway import status
from steno_gateway.admission import Admission
from steno_gateway.domain.server_state import NO_ENGINE, STORE_AWAY, Trouble
from steno_gateway.status import StatusBoard

THERE = Report(3, 3, strained=False)
AWAY = Report(0, 0, strained=False, away=True)
Look = Mapping[str, Report] | None
ONE: Look = {"one": THERE}


class Scripted:
    """A gateway whose clients become more with every look at its transcribers."""

    def __init__(self, *looks: Look) -> None:
        self.sessions = 0
        self.draining = asyncio.Event()
        self._looks: Iterator[Look] = iter(looks)

    async def ready(self) -> dict[str, bool]:
        return {"accepting": True}

    async def present(self) -> Mapping[str, Report]:
        self.sessions += 1
        workers = next(self._looks)
        if workers is None:
            raise StoreUnavailableError("away")
        return workers


def board(*looks: Look) -> StatusBoard:
    fake: Any = Scripted(*looks)
    return StatusBoard(cast(Lifecycle, fake), cast(Admission, fake), cast(WorkerStore, fake))


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "LOOK_SECONDS", 0.0)


async def test_a_trouble_is_told_once_until_it_is_over() -> None:
    told: list[Trouble] = []
    looks = ONE, {}, {}, {}, ONE, {}, None, None, {}
    async with aclosing(cast(Any, board(*looks).troubles())) as troubles:
        async for trouble in troubles:
            told.append(trouble)
            if len(told) == 4:
                break
    assert told == [NO_ENGINE, NO_ENGINE, STORE_AWAY, NO_ENGINE]


async def test_the_state_is_told_whenever_any_of_it_changes() -> None:
    async with aclosing(cast(Any, board(ONE, {}, {}).changes())) as changes:
        states = [await anext(changes) for _ in range(3)]
    assert [state.active_clients for state in states] == [1, 2, 3]
    assert [state.status for state in states] == ["ok", "degraded", "degraded"]


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
    state = await board(reports).now()
    assert (state.transcribers, state.engine_ready) == (transcribers, ready)
