"""Scripts of sessions that only certain engines may take, against their model."""

import pytest
from hypothesis.stateful import run_state_machine_as_test
from tests.contract.machine.bench import LIMITS, machine_on
from tests.contract.machine.hunt import finds
from tests.contract.machine.mutants import POLICIES
from tests.contract.machine.policies import ChoosyMachine
from tests.contract.machine.rig import open_rig
from tests.contract.test_store_machine import SEARCH
from tests.redis_servers import RedisServer

pytestmark = pytest.mark.timeout(1200)  # a hunt is long where all that may go wrong is tried


def test_scripts_give_each_engine_what_the_model_gives_it(each_redis: RedisServer) -> None:
    with open_rig(each_redis.url, LIMITS) as rig:
        run_state_machine_as_test(machine_on(rig, ChoosyMachine), settings=SEARCH)


@pytest.mark.parametrize("name", POLICIES)
def test_the_machine_finds_the_mutant(name: str, redis_server: RedisServer) -> None:
    finds(POLICIES[name], redis_server, ChoosyMachine)
