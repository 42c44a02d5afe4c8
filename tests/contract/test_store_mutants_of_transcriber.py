"""Wrong lines of the transcriber's scripts, each of which the machine finds."""

import pytest
from tests.contract.machine.hunt import finds
from tests.contract.machine.mutants import TRANSCRIBER
from tests.redis_servers import RedisServer

LISTED = TRANSCRIBER

pytestmark = pytest.mark.timeout(1200)  # a hunt is long where all that may go wrong is tried


@pytest.mark.parametrize("name", LISTED)
def test_the_machine_finds_the_mutant(name: str, redis_server: RedisServer) -> None:
    finds(LISTED[name], redis_server)
