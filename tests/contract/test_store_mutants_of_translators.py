"""The script of translations against its model; each wrong line of it is found."""

import pytest
from hypothesis.stateful import run_state_machine_as_test
from tests.contract.machine.bench import LIMITS, machine_on
from tests.contract.machine.hunt import finds
from tests.contract.machine.mutants import TRANSLATIONS
from tests.contract.machine.rig import open_rig
from tests.contract.machine.translators import TranslatedMachine
from tests.contract.test_store_machine import SEARCH
from tests.redis_servers import RedisServer

pytestmark = pytest.mark.timeout(1200)  # a hunt is long where all that may go wrong is tried


def test_translations_do_what_the_model_says_at_any_interleaving(each_redis: RedisServer) -> None:
    with open_rig(each_redis.url, LIMITS) as rig:
        run_state_machine_as_test(machine_on(rig, TranslatedMachine), settings=SEARCH)


@pytest.mark.parametrize("name", TRANSLATIONS)
def test_the_machine_finds_the_mutant(name: str, redis_server: RedisServer) -> None:
    finds(TRANSLATIONS[name], redis_server, TranslatedMachine)
