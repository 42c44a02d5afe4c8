"""Replacing every process under live sessions changes no word."""

from pathlib import Path

import pytest
from bench.faults.book import read
from bench.faults.check import judge
from bench.faults.figures import deaths, faults
from bench.faults.rolling import Rolling, rolled, too_short
from bench.faults.run import Times
from tests.redis_servers import candidates


@pytest.mark.timeout(600)
async def test_replacing_every_process_in_turn_changes_no_word(tmp_path: Path) -> None:
    if not candidates():
        pytest.skip("no Redis found: install redis-server")
    times = Times(retention=5.0)
    asked = Rolling(seed=1, sessions=12, seconds=55.0, times=times, command="test_rolling")
    records = read(await rolled(asked, tmp_path))
    assert judge(records, silent_seconds=120.0) == 0
    assert not too_short(records)
    assert faults(records) == {
        "replace gateway": 2,
        "replace transcriber": 2,
        "replace aggregator": 2,
        "replace notifier": 2,
    }
    assert deaths(records).total() == 0
