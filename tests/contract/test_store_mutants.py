"""The machine is worth something: it finds every wrong line that is listed."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.contract.machine.bench import LIMITS
from tests.contract.machine.losses import machine_on
from tests.contract.machine.mutants import MUTANTS
from tests.contract.machine.rig import open_rig, script_names
from tests.redis_servers import RedisServer

from steno_common.errors import StoreError

# The same examples each time: what is found today is found tomorrow.
HUNT = settings(
    max_examples=1200, stateful_step_count=20, derandomize=True, database=None, deadline=None,
    phases=[Phase.generate], print_blob=False, suppress_health_check=list(HealthCheck),
)  # fmt: skip


def test_every_script_has_a_mutant() -> None:
    # The notifiers' group is no part of the machine.
    others = {"prepare"}
    assert {mutant.script for mutant in MUTANTS.values()} == script_names() - others


@pytest.mark.parametrize("name", MUTANTS)
def test_the_machine_finds_the_mutant(name: str, redis_server: RedisServer) -> None:
    with open_rig(redis_server.url, LIMITS, MUTANTS[name]) as rig:
        rig.load_scripts()
        with pytest.raises((AssertionError, StoreError)):
            run_state_machine_as_test(machine_on(rig), settings=HUNT)
