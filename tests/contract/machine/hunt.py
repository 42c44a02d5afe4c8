"""The hunt for a mutant: the machine is worth something if it finds each that is listed."""

from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.contract.machine.bench import LIMITS, Bench, machine_on
from tests.contract.machine.losses import LossyMachine
from tests.contract.machine.rig import Mutant, open_rig
from tests.redis_servers import RedisServer

from steno_common.errors import StoreError

# The same examples each time: what is found today is found tomorrow.
HUNT: Final = settings(
    max_examples=1200, stateful_step_count=20, derandomize=True, database=None, deadline=None,
    phases=[Phase.generate], print_blob=False, suppress_health_check=list(HealthCheck),
)  # fmt: skip


def finds(mutant: Mutant, redis_server: RedisServer, who: type[Bench] = LossyMachine) -> None:
    """Fail unless the machine notices the mutant; `who` plays the services."""
    with open_rig(redis_server.url, LIMITS, mutant) as rig:
        rig.load_scripts()
        with pytest.raises((AssertionError, StoreError)):
            run_state_machine_as_test(machine_on(rig, who), settings=HUNT)
