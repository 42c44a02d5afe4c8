"""The machine of a master goes: with replicas waited for, nothing acknowledged goes with it."""

import pytest
from bench.failover.trial import Form, Plan, Result, run
from tests.redis_topologies import binaries

SHORT = {"before": 0.5, "after": 0.3}


async def trial(form: Form, replicas: int, **more: float) -> Result:
    if not binaries():
        pytest.skip("no server program found: install redis-server")
    return await run(binaries()[0].path, Plan(form, replicas, **SHORT, **more))


@pytest.mark.parametrize("form", ["sentinel", "cluster"])
async def test_what_a_replica_has_is_not_lost_with_a_machine(form: Form) -> None:
    result = await trial(form, replicas=1)
    assert (result.lost, result.doubled) == (0, 0)
    assert result.acknowledged > 0


@pytest.mark.parametrize("form", ["sentinel", "cluster"])
async def test_without_replicas_something_is_lost_and_the_trial_sees_it(form: Form) -> None:
    # So far away is the replica that what is acknowledged is under way to it, however slow we are.
    result = await trial(form, replicas=0, delay=0.25)
    assert result.lost > 0
    assert result.doubled == 0
