"""The scripts against their model, on every Redis found."""

from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.contract.machine.bench import LIMITS, machine_on
from tests.contract.machine.deliveries import Notifiers
from tests.contract.machine.rig import open_rig
from tests.redis_servers import RedisServer

# Shrinking runs the examples hundreds of times: add Phase.shrink to look at a failure by hand.
SEARCH = settings(max_examples=100, stateful_step_count=20, deadline=None,
                  phases=[Phase.reuse, Phase.generate])  # fmt: skip


def test_scripts_do_what_the_model_says_at_any_interleaving(each_redis: RedisServer) -> None:
    with open_rig(each_redis.url, LIMITS) as rig:
        run_state_machine_as_test(machine_on(rig, Notifiers), settings=SEARCH)
