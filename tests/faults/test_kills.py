"""Kills of every process at every step lose nothing, double nothing, change nothing."""

from pathlib import Path

import pytest
from bench.faults.book import read
from bench.faults.check import judge
from bench.faults.deployment import Size
from bench.faults.figures import deaths, faults
from bench.faults.load import Wanted
from bench.faults.run import Plan, Times, under_faults
from tests.redis_servers import candidates

KILLS = 105
SEED = 20


@pytest.mark.timeout(900)
async def test_a_hundred_kills_over_all_processes_change_no_word(tmp_path: Path) -> None:
    if not candidates():
        pytest.skip("no Redis found: install redis-server")
    plan = Plan(
        seed=SEED,
        wanted=Wanted(SEED, sessions=5, pace=2.0, seconds=(4.0, 14.0)),
        size=Size(),
        times=Times(lease=2.0, idle=40.0),
        kills=KILLS,
        seconds=None,
        pause=0.4,
    )
    records = read(await under_faults(plan, tmp_path, "test_kills"))
    assert judge(records, silent_seconds=120.0) == 0
    assert deaths(records).total() >= KILLS
    assert set(deaths(records)) == {"gateway", "transcriber", "aggregator", "notifier", "redis"}
    assert len(faults(records)) > 40
