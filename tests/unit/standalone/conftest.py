"""Supervisors over stand-ins for the services."""

import signal
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from bench.ports import free_port
from tests.unit.standalone.running import OFFSETS, SERVICE, Start, Supervisor


@pytest.fixture
def services(tmp_path: Path) -> Path:
    """A working directory whose packages take the place of the real services."""
    for name, offset in OFFSETS.items():
        package = tmp_path / f"steno_{name}"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(dedent(SERVICE.format(name=name, offset=offset)))
    return tmp_path


@pytest.fixture
def start(services: Path) -> Iterator[Start]:
    """Start supervisors; whatever a failed test leaves goes with them."""
    started: list[Supervisor] = []

    def start(port: int | None = None, **environment: str) -> Supervisor:
        started.append(Supervisor(services, port or free_port(len(OFFSETS)), **environment))
        return started[-1]

    yield start
    for supervisor in started:
        if supervisor.process.poll() is None:
            supervisor.signal(signal.SIGTERM)
            supervisor.wait()
