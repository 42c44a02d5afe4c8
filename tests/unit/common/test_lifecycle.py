"""The one shutdown path, in real processes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROGRAM = """
import asyncio, sys
from steno_common.errors import SettingsError, StoreUnavailableError
from steno_common.lifecycle import run

def say(*words):
    print(*words, flush=True)

async def stuck():
    try:
        await asyncio.sleep(60)
    finally:
        say("closed")

{serve}

sys.exit(run("probe", serve))
"""
BOUND_SECONDS = 60

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start processes whose service is given as source; none outlives the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(serve: str, **settings: str) -> subprocess.Popen[str]:
        program = tmp_path / "probe.py"
        program.write_text(PROGRAM.format(serve=serve))
        process = subprocess.Popen(
            [sys.executable, str(program)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=os.environ | settings,
        )  # fmt: skip
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def end(process: subprocess.Popen[str]) -> tuple[int, list[str], str]:
    """Wait for the end; give status, lines of output, log."""
    out, err = process.communicate(timeout=BOUND_SECONDS)
    return process.returncode, out.splitlines(), err


def wait_for(process: subprocess.Popen[str], line: str) -> None:
    """Wait until the process says something."""
    assert process.stdout is not None
    assert process.stdout.readline() == line + "\n"


def events(log: str) -> list[str]:
    """Give the events of a JSON log."""
    return [json.loads(line)["event"] for line in log.splitlines()]


def test_a_service_that_returns_ends_well(start: Start) -> None:
    assert end(start("async def serve(life): say('done')")) == (0, ["done"], "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_lets_it_drain(start: Start, number: int) -> None:
    process = start("""
async def serve(life):
    say("ready", (await life.ready())["accepting"])
    await life.draining.wait()
    say("ready", (await life.ready())["accepting"])
    await asyncio.sleep(0.05)
    say("drained")
""")
    wait_for(process, "ready True")
    process.send_signal(number)
    status, out, log = end(process)
    assert (status, out) == (0, ["ready False", "drained"])
    assert events(log) == ["draining"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_second_signal_ends_it_at_once(start: Start, number: int) -> None:
    process = start("""
async def serve(life):
    say("begun")
    await life.draining.wait()
    say("draining")
    await stuck()
""")
    wait_for(process, "begun")
    process.send_signal(signal.SIGTERM)
    wait_for(process, "draining")
    process.send_signal(number)
    status, out, _ = end(process)
    assert (status, out) == (128 + number, [])


def test_what_is_left_after_the_bound_is_cancelled(start: Start) -> None:
    serve = "async def serve(life):\n    say('begun')\n    await stuck()"
    process = start(serve, STENO_DRAIN_SECONDS="0.1")
    wait_for(process, "begun")
    process.terminate()
    status, out, log = end(process)
    assert (status, out) == (0, ["closed"])
    assert events(log) == ["draining", "drain took too long; cancelling what is left"]


def test_a_fault_while_draining_is_still_a_fault(start: Start) -> None:
    process = start("""
async def serve(life):
    say("begun")
    await life.draining.wait()
    raise KeyError("ours")
""")
    wait_for(process, "begun")
    process.terminate()
    status, _, log = end(process)
    assert status == 70
    assert events(log) == ["draining", "stopped by a fault"]


def test_wrong_settings_of_the_process_are_named_together(start: Start) -> None:
    settings = {"STENO_DRAIN_SECONDS": "soon", "STENO_LOG_LEVEL": "LOUD", "STENO_LOG_STYLE": "xml"}
    assert end(start("async def serve(life): say('never')", **settings)) == (2, [], (
        "steno-probe: the settings cannot be used\n"
        "STENO_LOG_STYLE: not one of json, console\n"
        "STENO_LOG_LEVEL: not one of DEBUG, INFO, WARNING, ERROR\n"
        "STENO_DRAIN_SECONDS: not float\n"
    ))  # fmt: skip


def test_a_collector_needs_an_address_and_a_ratio_is_a_share(start: Start) -> None:
    settings = {"STENO_OTLP_ENDPOINT": "collector:4318", "STENO_TRACE_RATIO": "5"}
    assert end(start("async def serve(life): say('never')", **settings)) == (2, [], (
        "steno-probe: the settings cannot be used\n"
        "STENO_OTLP_ENDPOINT: not http://… or https://…\n"
        "STENO_TRACE_RATIO: not between 0 and 1\n"
    ))  # fmt: skip


def test_a_collector_that_is_not_there_does_not_hold_up_the_end(start: Start) -> None:
    process = start(
        """
from steno_common import tracing

async def serve(life):
    with tracing.opening("upload", {}):
        say("begun")
    await life.draining.wait()
    say("drained")
""",
        STENO_OTLP_ENDPOINT="http://127.0.0.1:9",
        STENO_TRACE_RATIO="1",
    )
    wait_for(process, "begun")
    process.terminate()
    status, out, _ = end(process)
    assert (status, out) == (0, ["drained"])


IN_TASKS = """
async def fail():
    raise {error}

async def inner():
    async with asyncio.TaskGroup() as group:
        group.create_task(fail())
        group.create_task(stuck())

async def serve(life):
    async with asyncio.TaskGroup() as group:
        group.create_task(inner())
"""


@pytest.mark.parametrize("serve", ["async def serve(life): raise {error}", IN_TASKS])
def test_wrong_settings_of_the_service_are_named_however_deep(start: Start, serve: str) -> None:
    error = "SettingsError(['STENO_A: not int', 'STENO_B: not bool'])"
    status, _, err = end(start(serve.format(error=error)))
    assert status == 2
    assert err == (
        "steno-probe: the settings cannot be used\nSTENO_A: not int\nSTENO_B: not bool\n"
    )


@pytest.mark.parametrize("serve", ["async def serve(life): raise {error}", IN_TASKS])
@pytest.mark.parametrize(
    ("error", "status", "event"),
    [
        ("StoreUnavailableError('Redis is away')", 1, "stopped: Redis is away"),
        ("OSError(98, 'Address already in use')", 1, "stopped: [Errno 98] Address already in use"),
        ("KeyError('ours')", 70, "stopped by a fault"),
    ],
)
def test_the_status_says_what_ended_it(
    start: Start, serve: str, error: str, status: int, event: str
) -> None:
    found, _, log = end(start(serve.format(error=error)))
    assert (found, events(log)) == (status, [event])


def test_a_failed_task_closes_the_others_before_the_end(start: Start) -> None:
    status, out, _ = end(start(IN_TASKS.format(error="KeyError('ours')")))
    assert (status, out) == (70, ["closed"])


def test_people_get_lines_instead_of_json(start: Start) -> None:
    serve = "async def serve(life): raise OSError('taken')"
    _, _, log = end(start(serve, STENO_LOG_STYLE="console"))
    assert log.endswith(" error   probe: stopped: taken\n")
