"""Wrong lines of the gateway's scripts, each of which the machine finds."""

import pytest
from tests.contract.machine.hunt import finds
from tests.contract.machine.mutants import EVERYWHERE, GATEWAY, MUTANTS
from tests.contract.machine.rig import script_names
from tests.redis_servers import RedisServer

LISTED = GATEWAY | EVERYWHERE

pytestmark = pytest.mark.timeout(1200)  # a hunt is long where all that may go wrong is tried


def test_every_script_has_a_mutant() -> None:
    # The notifiers' group is no part of the machine; names have mutants in test_name_store.py.
    others = {"prepare", "bind"}
    assert {mutant.script for mutant in MUTANTS.values()} == script_names() - others


@pytest.mark.parametrize("name", LISTED)
def test_the_machine_finds_the_mutant(name: str, redis_server: RedisServer) -> None:
    finds(LISTED[name], redis_server)
