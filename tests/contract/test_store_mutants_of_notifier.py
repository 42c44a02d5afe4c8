"""Wrong lines of the notifier's scripts, each of which the machine finds."""

import pytest
from tests.contract.machine.deliveries import Notifiers
from tests.contract.machine.hunt import finds
from tests.contract.machine.mutants import DELIVERIES
from tests.redis_servers import RedisServer

pytestmark = pytest.mark.timeout(1200)  # a hunt is long where all that may go wrong is tried


@pytest.mark.parametrize("name", DELIVERIES)
def test_the_machine_finds_the_mutant(name: str, redis_server: RedisServer) -> None:
    finds(DELIVERIES[name], redis_server, Notifiers)
