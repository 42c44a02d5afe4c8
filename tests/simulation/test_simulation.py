"""The whole protocol under faults, many times over."""

import os
import subprocess
import sys

import pytest
from tests.simulation.chaos import KINDS, Chaos
from tests.simulation.simulate import simulate

SEEDS, BLOCK = 300, 50
SAME = 30


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_whatever_goes_wrong_the_transcript_is_right_and_comes(first: int) -> None:
    verdicts = [simulate(seed) for seed in range(first, first + BLOCK)]
    wrong = {verdict.seed: verdict.faults for verdict in verdicts if verdict.faults}
    assert not wrong, "look at one with: python -m tests.simulation --seed N --trace"
    assert sum(verdict.finals for verdict in verdicts) > BLOCK


def test_sessions_change_their_engines_there_and_back() -> None:
    assert any(simulate(seed).changes > 1 for seed in range(SEEDS))


def test_a_seed_says_everything_that_happens() -> None:
    lines: list[str] = []
    assert simulate(7, lines.append).digest == simulate(7).digest != simulate(8).digest
    assert lines


def test_a_seed_says_it_in_every_process() -> None:
    script = (
        "from tests.simulation.simulate import simulate\n"
        f"for seed in range({SAME}): print(simulate(seed).digest)"
    )
    answers = [
        subprocess.run(
            [sys.executable, "-c", script], env=os.environ | {"PYTHONHASHSEED": hashes},
            capture_output=True, text=True, check=True, timeout=280,
        ).stdout.split()
        for hashes in ("1", "2")
    ]  # fmt: skip
    assert answers[0] == answers[1] == [simulate(seed).digest for seed in range(SAME)]


def test_every_kind_of_incident_happens() -> None:
    planned = {incident.kind for seed in range(SEEDS) for incident in Chaos(seed).incidents}
    assert planned == {kind for kind, _ in KINDS}
