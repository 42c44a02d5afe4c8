from pathlib import Path

from bench.recognition.workload import Load
from tests.unit.bench.clips import CLIPS

LOAD = Load(Path("fixture"), sessions=300, seconds=20.0, spread_seconds=6.0, warm_seconds=4.0)


def test_sessions_begin_evenly_over_the_spread() -> None:
    assert [LOAD.begin(session) for session in (0, 50, 299)] == [0.0, 1.0, 5.98]


def test_each_session_lasts_until_the_counted_interval_is_over() -> None:
    assert LOAD.counted == (10.0, 30.0)
    for session in (0, 150, 299):
        assert LOAD.begin(session) + LOAD.plan(CLIPS, session).samples / 16_000 >= 30.0


def test_the_counted_interval_is_the_same_moment_for_all_sessions() -> None:
    assert LOAD.pace(0).counted == (10.0, 30.0)
    assert LOAD.pace(150).counted == (7.0, 27.0)


def test_processes_share_the_sessions() -> None:
    jobs = [LOAD.job("http://x", 100.0, process) for process in range(LOAD.processes)]
    assert LOAD.processes == 3
    assert sorted(own.index for job in jobs for own in job.sessions) == list(range(300))
    assert {own.index: own.begin for own in jobs[1].sessions}[151] == 100.0 + LOAD.begin(151)
