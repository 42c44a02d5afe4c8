"""Hundreds of hostile connections bring about no fault, and harm nobody else."""

import asyncio
from pathlib import Path

import pytest
from bench.hostile.__main__ import SETTINGS, attacked, ready
from bench.hostile.answers import FAULTS
from bench.hostile.honest import honest
from bench.hostile.kinds import WEIGHTS
from bench.installation import installation, redis_server

CONNECTIONS = 300
FIRST = 77_000_000


@pytest.mark.timeout(600)
async def test_hostile_connections_bring_about_no_fault(tmp_path: Path) -> None:
    over = asyncio.Event()
    async with (
        redis_server(tmp_path) as redis_url,
        installation(tmp_path, redis_url, SETTINGS) as steno,
    ):
        async with asyncio.TaskGroup() as tasks:
            others = tasks.create_task(honest(steno.url, 2, 7.0, over))
            outcomes = await attacked(steno.url, FIRST, CONNECTIONS, rate=30.0)
            over.set()
        assert await ready(steno)
        assert steno.faults == []
    assert [outcome for outcome in outcomes if outcome.how in FAULTS] == []
    assert {outcome.seed for outcome in outcomes} == set(range(FIRST, FIRST + CONNECTIONS))
    assert {outcome.kind for outcome in outcomes} == {draw.__name__ for draw in WEIGHTS}
    assert others.result().begun >= 2
    assert others.result().exact
