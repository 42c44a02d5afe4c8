"""Simulations are worth something: they find every wrong behaviour that is listed."""

import pytest
from tests.simulation.simulate import simulate
from tests.simulation.wrongs import WRONGS

WITHIN = 300
"""Seeds."""


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", WRONGS)
def test_simulations_find(name: str) -> None:
    with WRONGS[name]():
        assert any(simulate(seed).faults for seed in range(WITHIN))
