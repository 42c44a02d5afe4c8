"""Sessions go on with another engine where theirs dies or is full, and back: real processes."""

from pathlib import Path

import pytest
from bench.faults.book import read
from bench.faults.check import judge
from bench.faults.run import HISTORY
from bench.faults.speech import phrases
from tests.faults.engine_stage import CHUNK_SECONDS, SEED, changes, stage

SETTINGS = {"STENO_ENGINES": "first,second", "STENO_ENGINE_STAY_SECONDS": "3"}


@pytest.mark.timeout(600)
async def test_twenty_live_sessions_outlive_all_workers_of_their_engine_and_go_back(
    tmp_path: Path,
) -> None:
    everybody = range(20)
    async with stage(tmp_path, SETTINGS) as made:
        first = await made.staff("first", 2)
        for number in everybody:
            made.talk(number, phrases(SEED, number, CHUNK_SECONDS))
        await made.are_with("first", everybody)
        await made.staff("second", 2)
        for part in first:
            await part.kill()
        await made.are_with("second", everybody)
        made.visit(20, seconds=25)
        await made.are_with("second", [20])
        await made.staff("first", 2)
        made.visit(21, seconds=25)
        await made.are_with("first", [21])
        await made.are_with("first", everybody)
        made.enough.set()
    assert judge(read(tmp_path / HISTORY), silent_seconds=120.0) == 0
    told = changes(tmp_path)
    assert {number: told[number] for number in everybody} == dict.fromkeys(everybody, 2)
    assert told[20] <= 1
    assert told[21] == 0


async def test_what_the_first_engine_has_no_room_for_runs_on_the_second(tmp_path: Path) -> None:
    everybody = range(12)
    async with stage(tmp_path, SETTINGS) as made:
        await made.staff("first", 1, STENO_MAX_WORKER_SESSIONS="5")
        await made.staff("second", 1)
        for number in everybody:
            made.visit(number, seconds=15)

        async def all_have_text() -> bool:
            return await made.engines(everybody) == {"first": 5, "second": 7}

        await made.until(all_have_text)
    assert judge(read(tmp_path / HISTORY), silent_seconds=120.0) == 0
