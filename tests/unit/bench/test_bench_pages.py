import pytest
from bench.recognition.cost import Cost, by_role, role_of
from bench.recognition.pages import Page

BEFORE = """\
# TYPE steno_windows_total counter
steno_windows_total{kind="final"} 3.0
# TYPE steno_wait_seconds histogram
steno_wait_seconds_bucket{le="0.1"} 0.0
steno_wait_seconds_bucket{le="0.2"} 0.0
steno_wait_seconds_bucket{le="+Inf"} 0.0
"""
AFTER = """\
# TYPE steno_windows_total counter
steno_windows_total{kind="final"} 5.0
steno_windows_total{kind="partial"} 4.0
# TYPE steno_wait_seconds histogram
steno_wait_seconds_bucket{le="0.1"} 50.0
steno_wait_seconds_bucket{le="0.2"} 90.0
steno_wait_seconds_bucket{le="+Inf"} 100.0
"""


def test_what_was_counted_between_two_readings_of_all_workers() -> None:
    page = Page([AFTER, AFTER]).since(Page([BEFORE, BEFORE]))
    assert page.total("steno_windows_total", kind="final") == 4.0
    assert page.total("steno_windows_total") == 12.0
    assert page.total("steno_other_total") == 0.0


def test_a_quantile_lies_within_its_bucket_by_proportion() -> None:
    page = Page([AFTER]).since(Page([BEFORE]))
    assert page.quantile("steno_wait_seconds", 0.25) == pytest.approx(0.05)
    assert page.quantile("steno_wait_seconds", 0.7) == pytest.approx(0.15)


def test_a_quantile_beyond_the_last_border_is_that_border() -> None:
    assert Page([AFTER]).quantile("steno_wait_seconds", 0.99) == 0.2


def test_a_histogram_that_counted_nothing_has_no_quantile() -> None:
    assert Page([BEFORE]).quantile("steno_wait_seconds", 0.5) is None
    assert Page([]).quantile("steno_wait_seconds", 0.5) is None


@pytest.mark.parametrize(
    ("name", "command", "role"),
    [
        ("python", ["/venv/bin/python", "-m", "steno_gateway"], "gateway"),
        ("python", ["/venv/bin/python", "-m", "bench.recognition.load"], "load"),
        ("python", ["/venv/bin/python", "-m", "steno_standalone"], "supervisor"),
        ("valkey-server", ["/dev/shm/redis/valkey-server unixsocket:/dev/shm/s"], "redis"),
        ("redis-server", [""], "redis"),
    ],
)
def test_a_process_is_told_by_its_name_and_command(
    name: str, command: list[str], role: str
) -> None:
    assert role_of(name, command) == role


def test_cost_is_counted_from_the_first_reading_or_from_the_process_start() -> None:
    before = {1: Cost("gateway", 2.0, 50.0), 2: Cost("transcriber", 1.0, 90.0)}
    after = {
        1: Cost("gateway", 2.5, 60.0),
        2: Cost("transcriber", 4.0, 100.0),
        3: Cost("transcriber", 1.5, 80.0),
    }
    found = by_role(before, after)
    assert found["gateway"] == (0.5, 60.0)
    assert found["transcriber"] == (4.5, 180.0)
    assert found["notifier"] == (0.0, 0.0)
