"""The compose file for real: built, started, killed part by part, stopped.

Takes minutes and an engine, so it runs only when asked for: STENO_TEST_COMPOSE=docker (or podman,
with podman-compose, as root).
"""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from bench.ports import free_port

from steno_common.health import PORT_OFFSETS

ROOT = Path(__file__).parents[2]
THREE = ROOT / "samples/three-utterances.flac"
PROJECT = "stenotest"
PARTS = ("redis", "transcriber", "aggregator", "notifier", "gateway")

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        os.environ.get("STENO_TEST_COMPOSE") not in ("docker", "podman"),
        reason="runs containers only if STENO_TEST_COMPOSE says docker or podman",
    ),
]


def run(*command: str, check: bool = True, **environment: str) -> str:
    found = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, check=False,
        capture_output=True, text=True, timeout=800,
    )  # fmt: skip
    assert found.returncode == 0 or not check, f"{command}\n{(found.stdout + found.stderr)[-3000:]}"
    return found.stdout.strip()


@dataclass(frozen=True)
class Engine:
    """A container engine with Steno in it."""

    name: str
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def compose(self, *arguments: str, check: bool = True) -> str:
        tool = ("docker", "compose") if self.name == "docker" else ("podman-compose",)
        publish = f"127.0.0.1:{self.port}"
        return run(*tool, "-p", PROJECT, *arguments, check=check,
                   STENO_PUBLISH=publish, STENO_ENGINE="pocketsphinx")  # fmt: skip

    def build(self, service: str) -> None:
        # Podman: the format that knows health checks; bases that are here already are good enough.
        podman = ("--format=docker", "--pull=never", "--network=host")
        options = podman if self.name == "podman" else ()
        dockerfile = f"services/{service}/Dockerfile"
        run(self.name, "build", *options, "-t", f"steno-{service}", "-f", dockerfile, ".")

    def containers(self, *filters: str, stopped: bool = False) -> list[str]:
        labels = (f"project={PROJECT}", *filters)
        wanted = [
            word for label in labels for word in ("--filter", f"label=com.docker.compose.{label}")
        ]
        return run(self.name, "ps", "-q", *(["-a"] if stopped else []), *wanted).split()

    def container(self, part: str) -> str:
        (found,) = self.containers(f"service={part}")
        return found

    def pid(self, part: str) -> int:
        return int(run(self.name, "inspect", "-f", "{{.State.Pid}}", self.container(part)))

    def ready(self) -> bool:
        for service, offset in PORT_OFFSETS.items():
            script = ("python", "-IS", "/usr/local/lib/steno/healthcheck.py", str(offset))
            for container in self.containers(f"service={service}") or [""]:
                command = [self.name, "exec", container, *script]
                if subprocess.run(command, capture_output=True, check=False).returncode:
                    return False
        return True

    def wait_ready(self) -> None:
        deadline = time.monotonic() + 120
        while not self.ready():
            assert time.monotonic() < deadline, "not ready"
            time.sleep(0.2)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = Engine(os.environ["STENO_TEST_COMPOSE"], free_port())
    if (
        shutil.which(engine.name) is None
        or subprocess.run([engine.name, "version"], capture_output=True, check=False).returncode
    ):
        pytest.skip(f"{engine.name} does not answer")
    for service in PORT_OFFSETS:
        engine.build(service)
    if engine.name == "podman":  # whose compose may ignore the options of a volume
        options = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["volumes"]["memory"]
        words = [f"--opt={key}={value}" for key, value in options["driver_opts"].items()]
        run("podman", "volume", "create", *words, f"{PROJECT}_memory")
    try:
        # Old versions of podman-compose know no profiles, and would start what belongs to one.
        engine.compose("up", "-d", "memory", *PARTS)
        engine.wait_ready()
        yield engine
    finally:
        engine.compose("down", "-v", "-t", "30", check=False)
        # Old versions of podman-compose leave what they did not make, or their networks.
        for kind in ("volume", "network"):
            names = run(engine.name, kind, "ls", "--format", "{{.Name}}").split()
            for left in (name for name in names if name.startswith(PROJECT + "_")):
                run(engine.name, kind, "rm", left)
    assert engine.containers(stopped=True) == []


def transcribing(engine: Engine, pace: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "steno_client.cli", "transcribe", str(THREE)]
    return subprocess.Popen(
        [*command, "--pace", pace, "--url", engine.url],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def printed(client: subprocess.Popen[str]) -> str:
    out, err = client.communicate(timeout=120)
    assert client.returncode == 0, err[-3000:]
    return out.strip()


@pytest.fixture(scope="module")
def expected() -> str:
    """What the engine of recognition prints when the recording is fed to it directly."""
    command = (sys.executable, "-m", "steno_transcriber", "recognise", str(THREE))
    return run(*command, STENO_ENGINE="pocketsphinx")


def test_a_recording_goes_through_the_containers(engine: Engine, expected: str) -> None:
    assert printed(transcribing(engine, "fast")) == expected
    with urllib.request.urlopen(engine.url + "/api/transcripts", timeout=10) as answer:
        assert "tomorrow" in answer.read().decode()


def test_the_log_of_redis_is_in_memory(engine: Engine) -> None:
    mounts = run(engine.name, "exec", engine.container("redis"), "cat", "/proc/mounts")
    assert [line.split()[2] for line in mounts.splitlines() if " /memory " in line] == ["tmpfs"]


def test_nothing_but_the_mounts_can_be_written(engine: Engine) -> None:
    for part in PARTS:
        touch = [engine.name, "exec", engine.container(part), "touch", "/src", "/etc/x"]
        assert subprocess.run(touch, capture_output=True, check=False).returncode != 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may end a container's process from here")
@pytest.mark.parametrize("part", PARTS)
def test_a_crash_is_repaired_by_the_engine(engine: Engine, expected: str, part: str) -> None:
    engine.wait_ready()
    client = transcribing(engine, "realtime")
    time.sleep(5)  # the middle of the recording
    os.kill(engine.pid(part), signal.SIGKILL)
    assert printed(client) == expected


def test_killed_containers_cost_nothing(engine: Engine, expected: str) -> None:
    engine.wait_ready()
    client = transcribing(engine, "realtime")
    for part in PARTS:
        time.sleep(2)  # spread over the recording
        container = engine.container(part)
        run(engine.name, "kill", container)
        run(engine.name, "start", container)
    assert printed(client) == expected


def test_every_service_ends_in_order(engine: Engine) -> None:
    engine.wait_ready()
    for part in ("gateway", "transcriber", "aggregator", "notifier", "redis"):
        container = engine.container(part)
        run(engine.name, "stop", "-t", "30", container)
        assert run(engine.name, "inspect", "-f", "{{.State.ExitCode}}", container) == "0"
